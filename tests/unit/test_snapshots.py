"""Copies of a ledger: consistent while it is written, whole or not used, few, with a lease that nobody holds."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.ledger import Ledger, Proposal
from study.storing import snapshots
from study.storing.restoring import restore_lost
from tests.studies_for_tests import a_ledger
from trainables.storage import Folder, LocalFolder


def test_a_copy_is_of_one_moment_although_the_ledger_is_written(tmp_path: Path) -> None:
    ledger, over = a_ledger(tmp_path, proposals=3), threading.Event()

    def write() -> None:
        while not over.is_set():  # each transaction leaves as many trials as there were, plus two
            ledger.propose([Proposal({"data.label_noise": 0.5, "model.width": 16})] * 2)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [snapshots.copy_ledger(ledger.url, ledger.name) for _ in range(5)]
    finally:
        over.set()
        writer.join()
    for index, (content, ended) in enumerate(copies):
        path = tmp_path / f"copy-{index}" / "study.db"
        assert snapshots.restore(content, path, ledger.name, 1)
        assert Ledger.open(f"sqlite:///{path}", ledger.name).next_number() % 2 == 1
        assert ended == set()
    assert not list((tmp_path / ledger.name).glob(".snapshot-*"))


def test_ended_trials_are_those_of_the_copy(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=3)
    ledger.finish(1, ledger.start_attempt(1), "FAILED", error="made up")
    assert snapshots.copy_ledger(ledger.url, ledger.name)[1] == {1}


def test_the_newest_three_stay_and_a_later_lease_is_newer(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    for fence in (1, 1, 1, 2, 2):
        snapshots.put(b"fence %d" % fence, folder, fence)
    assert folder.names() == ["fence-000001-000003.db", "fence-000002-000001.db", "fence-000002-000002.db"]
    snapshots.put(b"late", folder, 1)  # a zombie's
    assert next(snapshots.newest(folder)) == (2, b"fence 2")


def test_a_restored_ledger_has_a_higher_fence_and_nobody_holds_it(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    content, _ = snapshots.copy_ledger(ledger.url, ledger.name)
    path = tmp_path / "new" / "study.db"
    assert snapshots.restore(content, path, ledger.name, 41)
    restored = Ledger.open(f"sqlite:///{path}", ledger.name)
    assert restored.acquire(wait_s=0) == 42


def test_what_is_no_database_is_not_restored(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    content, _ = snapshots.copy_ledger(ledger.url, ledger.name)
    path = tmp_path / "new" / "study.db"
    damaged = content[:4096] + b"\xff" * 4096 + content[8192:]
    for bad in (b"", b"no database at all, whatever its name", damaged):
        assert not snapshots.restore(bad, path, ledger.name, 1)
        assert not path.exists()
    assert not list(path.parent.iterdir())


def test_a_ledger_that_someone_else_restored_first_stays(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    content, _ = snapshots.copy_ledger(ledger.url, ledger.name)
    path = tmp_path / "new" / "study.db"
    path.parent.mkdir()
    path.write_bytes(b"the first driver's")
    with pytest.raises(FileExistsError):
        snapshots.restore(content, path, ledger.name, 1)
    assert path.read_bytes() == b"the first driver's"
    assert list(path.parent.iterdir()) == [path]


def test_of_two_that_restore_at_once_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, home, storage = a_ledger(tmp_path / "old", proposals=1), tmp_path / "new", tmp_path / "storage"
    content, _ = snapshots.copy_ledger(ledger.url, ledger.name)
    snapshots.put(content, LocalFolder(storage / "tiny" / "ledger"), 1)
    newest = snapshots.newest

    def while_another_does(folder: Folder) -> Iterator[tuple[int, bytes]]:
        monkeypatch.setattr(snapshots, "newest", newest)
        assert restore_lost(home, "tiny", str(storage), None, print)
        yield from newest(folder)

    monkeypatch.setattr(snapshots, "newest", while_another_does)
    assert not restore_lost(home, "tiny", str(storage), None, print)
    assert Ledger.open(f"sqlite:///{home / 'tiny' / 'study.db'}", "tiny").next_number() == 1
