"""A disk that is full: what is asked of the ledger waits for room (SQLite's own limit of pages)."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from study.errors import NoRoom
from study.execution.on_ray.trial_log import TrialLog
from study.ledger import Ledger, Proposal, outage
from tests.studies_for_tests import a_ledger

POINT = Proposal({"data.label_noise": 0.5, "model.width": 16})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Whose database may not grow: SQLite says `database or disk is full`, as it does on a full disk."""
    made = a_ledger(tmp_path)
    made.close()
    event.listen(made._engine, "connect", lambda connection, _: _limit(connection, 1))
    return made


def test_a_full_disk_has_its_own_error(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "ROOM_S", 0.0)
    with pytest.raises(NoRoom, match=r"study.db can't be written \(database or disk is full\); make room there"):
        ledger.propose([POINT] * 100)
    assert ledger.counts()["QUEUED"] == 0


def test_a_study_waits_until_there_is_room(ledger: Ledger) -> None:
    def make_room() -> None:
        time.sleep(1.0)
        ledger.close()
        event.listen(ledger._engine, "connect", lambda connection, _: _limit(connection, 100_000))

    helper = threading.Thread(target=make_room)
    helper.start()
    assert [row.number for row in ledger.propose([POINT] * 100)] == list(range(100))
    helper.join()


def test_who_wants_to_stop_does_not_wait(ledger: Ledger) -> None:
    ledger.tired = lambda: True
    with pytest.raises(NoRoom):
        ledger.propose([POINT] * 100)


def _limit(connection: Any, pages: int) -> None:
    connection.execute(f"PRAGMA max_page_count={pages}")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_what_a_trial_prints_on_a_full_disk_is_missing_and_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "0001").mkdir()
    path = tmp_path / "0001" / "log.txt"
    path.symlink_to("/dev/full")
    with TrialLog(path) as log:
        assert log.write("lost\n") == 5
    path.unlink()
    with TrialLog(path) as log:
        print("kept", file=log)
    assert path.read_text() == "kept\n"
