"""Files of a home are its user's alone, or its group's if made so; data folders stay as open as they are."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.cli import main
from study.private import open_to_others, private_files
from study.storing.copying import copying
from tests.unit import cli_ledgers
from trainables.data.download import writable_folder


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def _made(folder: Path) -> tuple[int, int]:
    (folder / "sub" / "below").mkdir(parents=True)
    (folder / "file").touch()
    return (folder / "sub" / "below").stat().st_mode & 0o777, (folder / "file").stat().st_mode & 0o777


def _mode(path: Path, mode: int) -> Path:
    path.mkdir()
    path.chmod(mode)
    return path


def test_a_home_is_its_users(tmp_path: Path) -> None:
    with private_files(tmp_path / "new"):
        (tmp_path / "new").mkdir()
        assert _made(tmp_path / "new") == (0o700, 0o600)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert open_to_others(tmp_path / "new") is None
    (tmp_path / "after").touch()
    assert (tmp_path / "after").stat().st_mode & 0o777 == 0o644, "only inside"


def test_an_older_home_is_named_and_new_files_in_it_are_private(tmp_path: Path) -> None:
    older = _mode(tmp_path / "older", 0o755)
    with private_files(older):
        assert _made(older) == (0o700, 0o600)
    assert open_to_others(older) == "read"
    assert open_to_others(_mode(tmp_path / "open", 0o777)) == "write into"
    assert open_to_others(tmp_path / "absent") is None


def test_a_home_made_for_a_group_is_the_groups(tmp_path: Path) -> None:
    shared = _mode(tmp_path / "shared", 0o770)
    with private_files(shared):
        assert _made(shared) == (0o770, 0o660)
    assert open_to_others(shared) is None


@pytest.mark.parametrize(("mode", "made"), [(0o755, (0o755, 0o644)), (0o700, (0o700, 0o600)), (0o775, (0o775, 0o664))])
def test_a_data_folder_stays_as_open_as_it_is(mode: int, made: tuple[int, int], tmp_path: Path) -> None:
    """Several people's studies may share one."""
    data = _mode(tmp_path / "data", mode)
    with private_files(tmp_path / "home"), writable_folder(data / "images"):
        assert _made(data / "images") == made


def test_what_other_commands_write_into_a_home_is_private_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with private_files(home):
        ledger = cli_ledgers.ledger(home)
        with copying(ledger, print):
            pass
        ledger.release()
        ledger.close()
    assert main(["report", "small", "--home", str(home)]) == 0
    (home / "small" / "study.db").unlink()
    assert main(["doctor", "small", "--mend", "--home", str(home)]) == 0
    there = [home, *home.rglob("*")]
    assert [path for path in there if path.stat().st_mode & 0o077] == []
    assert {"index.html", "study.db", "study.yaml"} <= {path.name for path in there}
    assert main(["report", "small", "--home", str(home), "--out", str(tmp_path / "public")]) == 0
    assert (tmp_path / "public" / "index.html").stat().st_mode & 0o777 == 0o644, "what a user wants elsewhere"
