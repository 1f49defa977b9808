"""Files in a directory and in an object store (a real server, over HTTP) behave alike."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from tests.s3_for_tests import S3Server, s3_server
from trainables.checkpoints import CheckpointStore
from trainables.storage import Folder, LocalFolder, folder_at, seal, unseal

Make = Callable[[str], Folder]


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=["path", "file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    """An empty folder."""
    if request.param == "s3":
        return folder_at(request.getfixturevalue("s3").uri(tmp_path.name))
    return folder_at(tmp_path / "store" if request.param == "path" else (tmp_path / "a store").as_uri())


def test_files_come_back(place: Folder) -> None:
    assert place.names() == []
    assert place.read("a") is None
    place.write("a", [b"one", memoryview(b" two")])
    (place / "trials" / "0007").write("b", [b"deep"])
    assert place.read("a") == b"one two"
    assert place.names() == ["a", "trials/0007/b"]
    assert (place / "trials").names() == ["0007/b"]
    place.write("a", [b"again"])
    assert place.read("a") == b"again"


def test_removing_takes_no_more_than_asked(place: Folder) -> None:
    for name in ("a", "b"):
        place.write(name, [b"x"])
        (place / "below").write(name, [b"x"])
    place.remove("a")
    place.remove("a")
    assert place.names() == ["b", "below/a", "below/b"]
    (place / "below").remove_all()
    (place / "below").remove_all()
    assert place.names() == ["b"]


def test_a_file_has_no_name_before_all_is_written(place: Folder) -> None:
    seen: list[list[str]] = []
    place.write("a", [b"x" * 100_000], written=lambda: seen.append([n for n in place.names() if n == "a"]))
    assert seen == [[]]
    assert place.names() == ["a"]


def test_checkpoints(place: Folder) -> None:
    lost = CheckpointStore(place, 1, fence=1)
    for epoch in range(3):
        lost.save({"epoch": epoch, "weights": torch.full((4,), float(epoch))})
    assert place.names() == ["attempt-001.001-000002.pt", "attempt-001.001-000003.pt"]
    state = CheckpointStore(place, 2, fence=1).latest()
    assert state is not None
    assert state["epoch"] == 2
    assert torch.equal(state["weights"], torch.full((4,), 2.0))
    newest = bytearray(place.read("attempt-001.001-000003.pt") or b"")
    newest[-1] ^= 1
    place.write("attempt-001.001-000003.pt", [bytes(newest)])
    assert (CheckpointStore(place, 2, fence=1).latest() or {})["epoch"] == 1, "damaged: the one before"
    CheckpointStore(place, 2, fence=1).save({"epoch": 9})
    assert place.names() == ["attempt-001.002-000001.pt"]


def test_a_store_that_does_not_answer_costs_a_checkpoint_and_not_the_trial(tmp_path: Path) -> None:
    with s3_server() as server:
        folder = server.impatient_folder("gone")
        store = CheckpointStore(folder, 1)
        assert store.save({"epoch": 1}) is not None
        server.close()
        assert store.save({"epoch": 2}) is None
        impatient = folder.without_patience()
        with pytest.raises(OSError, match=r"(?i)connect|curl|network"):
            impatient.names()
    blocked = tmp_path / "file"
    blocked.touch()
    assert CheckpointStore(blocked / "checkpoints", 1).save({}) is None, "nor does a disk that takes nothing"


def test_threads_that_write_one_file_do_not_hinder_each_other(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    names = [f"{number}" for number in range(4)] * 8
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            list(pool.map(lambda name: folder.write("driver.json", [name.encode()]), names))
    assert folder.names() == ["driver.json"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("ftp://host/path", "file://, s3://, gs://"),
        ("file://mnt/share", "three slashes"),
        ("s3://", "name a bucket"),
    ],
)
def test_what_is_no_storage_is_refused(given: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        folder_at(given)


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = folder_at("store")
    assert isinstance(folder, LocalFolder)
    assert folder.path == tmp_path / "store"


@pytest.mark.parametrize("damage", [b"", b"kind 1", b"other 1 sha256 00\ncontent"])
def test_only_what_was_sealed_is_read(damage: bytes) -> None:
    sealed = seal(b"kind 1", b"con\ntent") + b"con\ntent"
    assert bytes(unseal(b"kind 1", sealed) or b"") == b"con\ntent"
    assert unseal(b"kind 2", sealed) is None
    assert unseal(b"kind 1", damage) is None
    assert unseal(b"kind 1", sealed[:-1]) is None
    assert unseal(b"kind 1", None) is None
