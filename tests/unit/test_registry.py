"""The one-file registry and the messages about names."""

from pathlib import Path

import pytest

from trainables.registry import Entry, Registry, names_in
from trainables.spelling import unknown_name


class Thing(Entry):
    """A kind of entry, for these tests."""

    size: int = 1


@pytest.fixture
def things(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[Thing]:
    """A folder with one good entry, one that binds nothing, one of another kind and a private module."""
    folder = tmp_path / "things_for_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "good.py").write_text("from tests.unit.test_registry import Thing as ENTRY\n")
    (folder / "empty.py").write_text("")
    (folder / "other.py").write_text("from trainables.registry import Entry as ENTRY\n")
    (folder / "explodes.py").write_text("raise RuntimeError('imported')\n")
    (folder / "_private.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    names_in.cache_clear()
    return Registry("things_for_a_test", Thing, "thing")


def test_names_are_listed_without_importing(things: Registry[Thing]) -> None:
    assert things.names() == ("empty", "explodes", "good", "other")


def test_a_name_gives_its_class(things: Registry[Thing]) -> None:
    assert things.get("good").__name__ == "Thing"


def test_an_unknown_name_is_refused_with_the_closest(things: Registry[Thing]) -> None:
    with pytest.raises(ValueError, match=r"there is no thing 'god'\. Did you mean 'good'\? Allowed: empty"):
        things.get("god")


@pytest.mark.parametrize("name", ["empty", "other"])
def test_an_entry_of_another_kind_is_a_programming_error(things: Registry[Thing], name: str) -> None:
    with pytest.raises(TypeError, match="must bind ENTRY to a subclass of Thing"):
        things.get(name)


def test_nothing_close_gives_no_hint() -> None:
    assert unknown_name("thing", "zzz", ["good"]) == "there is no thing 'zzz'. Allowed: good."
