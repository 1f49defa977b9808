"""What goes to a storage while a study runs: each thing once, with a heartbeat beside it, whatever goes wrong."""

import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from study.errors import LeaseLost, UsageError
from study.ledger import Ledger
from study.storing import claims, snapshots
from study.storing.safekeeping import NETWORKS, Safekeeper, trial_folder
from tests.studies_for_tests import a_ledger
from trainables.storage import Chunk, LocalFolder


class Counting(LocalFolder):
    """Notes what is written; `hold`, while cleared, keeps copies of a ledger from coming to their end."""

    def __init__(self, path: Path, written: list[str] | None = None, hold: threading.Event | None = None) -> None:
        super().__init__(path)
        self.written: list[str] = [] if written is None else written
        self.hold = hold

    def __truediv__(self, name: str) -> "Counting":
        return Counting(self.path / name, self.written, self.hold)

    def write(self, name: str, parts: Sequence[Chunk], **given: object) -> None:
        self.written.append(name)
        if self.hold is not None and name.startswith("fence-"):
            self.hold.wait(20)
        super().write(name, parts)


def unheard(lost: LeaseLost) -> None:
    raise AssertionError(lost)


def end(ledger: Ledger, number: int) -> None:
    """Of a trial, with its networks."""
    ledger.finish(number, ledger.start_attempt(number), "COMPLETE")
    path = ledger.config.directory / trial_folder(number) / NETWORKS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"networks")


def eventually(true: object) -> None:
    deadline = time.monotonic() + 20
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_networks_are_copied_once(tmp_path: Path) -> None:
    ledger, folder = a_ledger(tmp_path / "home", proposals=3), Counting(tmp_path / "storage")
    keeper = Safekeeper(ledger, folder, unheard, print)
    for number in range(3):
        end(ledger, number)
        keeper._save_changes()
    assert [name for name in folder.written if NETWORKS in name] == [f"trials/{n:04d}/{NETWORKS}" for n in range(3)]


def test_trials_of_five_digits_are_known_again(tmp_path: Path) -> None:
    ledger, folder = a_ledger(tmp_path / "home"), Counting(tmp_path / "storage")
    folder.write(f"{trial_folder(12345)}/{NETWORKS}", [b"x"])
    assert Safekeeper(ledger, folder, unheard, print)._look() == {12345}


def test_a_long_copy_does_not_stop_the_heart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "BEAT_S", 0.05)
    ledger, hold = a_ledger(tmp_path / "home", proposals=1), threading.Event()
    folder = Counting(tmp_path / "storage", hold=hold)
    keeper = Safekeeper(ledger, folder, unheard, print)
    keeper.start()
    end(ledger, 0)
    eventually(lambda: any(name.startswith("fence-") for name in folder.written))
    before = claims.read(folder)
    assert before is not None
    eventually(lambda: (now := claims.read(folder)) is not None and now.beat > before.beat + 3)
    hold.set()
    keeper.finish()
    after = claims.read(folder)
    assert after is not None
    assert not after.held


def test_whatever_goes_wrong_is_said_once_and_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "BEAT_S", 0.05)
    ledger, folder, said = a_ledger(tmp_path / "home", proposals=1), Counting(tmp_path / "storage"), list[str]()
    copied = snapshots.copy_ledger

    def full(url: str, study: str) -> tuple[bytes, set[int]]:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(snapshots, "copy_ledger", full)
    keeper = Safekeeper(ledger, folder, unheard, said.append)
    keeper.start()
    end(ledger, 0)
    eventually(lambda: said)
    time.sleep(0.3)
    assert said == ["the storage does not take the results (OperationalError: database or disk is full); "
                    "this machine's disk has everything"]  # fmt: skip
    monkeypatch.setattr(snapshots, "copy_ledger", copied)
    eventually(lambda: len(said) == 2)
    assert said[1] == "the storage can be written again"

    def damaged_claim_told() -> bool:  # a beat that had read the claim before writes over the damage: so again
        if len(said) == 2:
            folder.write(claims.FILE, [b"{"])
        return len(said) == 3

    eventually(damaged_claim_told)
    assert "driver.json" in said[2]
    keeper.finish()
    assert "resume the study later" in said[3]


def test_a_damaged_claim_is_refused(tmp_path: Path) -> None:
    ledger, folder = a_ledger(tmp_path / "home"), LocalFolder(tmp_path / "storage")
    for content in (b"{", b"[]", b'{"uid": 1}'):
        folder.write(claims.FILE, [content])
        with pytest.raises(UsageError, match="is damaged, so nobody knows"):
            Safekeeper(ledger, folder, unheard, print)
