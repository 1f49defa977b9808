"""PostgreSQL goes away for a moment and comes back; the study that writes to it goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from study.errors import CommitUnknown
from study.execution.watch import Watch
from study.ledger import Ledger, Proposal, lease, outage
from study.stop_flag import StopFlag
from tests.integration.postgresql_for_tests import Server, server
from tests.studies_for_tests import a_study, dense

POINT = Proposal({"data.label_noise": 1, "model.width": 16})


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Server]:
    with server() as found:
        yield found


@pytest.fixture
def ledger(postgresql: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """With the lease taken."""
    config = a_study(tmp_path, name=request.node.name[:60].strip("_"), run={"ledger": postgresql.url})
    made = Ledger.create(postgresql.url, config)
    made.acquire()
    yield made
    made.close()


def test_a_study_outlasts_a_crash_of_its_server(postgresql: Server, ledger: Ledger) -> None:
    """Whatever comes first after a crash has to wait, writes and reads."""
    flag = StopFlag()

    @contextmanager
    def crash() -> Iterator[None]:
        postgresql.crash()
        back = threading.Timer(1.5, postgresql.start)
        back.start()
        yield
        back.join()

    with Watch(ledger, flag, None):
        with crash():
            ledger.propose([POINT])
        with crash():
            attempt = ledger.start_attempt(0)
        with crash():
            assert ledger.added_waiting() == 0
        ledger.record(0, attempt, [dense(1, accuracy=0.5)])
        with crash():
            assert ledger.finish(0, attempt, "COMPLETE")
    assert not flag, flag.reason
    assert [(row.state, row.attempts) for row in ledger.trials()] == [("COMPLETE", 1)]


def test_a_write_whose_connection_breaks_is_done_once(ledger: Ledger) -> None:
    broken: list[int] = []

    @outage.outlasting
    def write() -> None:
        with lease.fenced_transaction(ledger._engine, ledger.name, ledger.fence) as connection:
            connection.execute(text("UPDATE ockham_leases SET heartbeat = heartbeat + 1000"))
            if not broken:
                broken.append(1)
                _break(ledger, connection.scalar(text("SELECT pg_backend_pid()")))
            connection.execute(text("SELECT 1"))

    write()
    found = ledger.lease()
    assert found is not None
    assert found.heartbeat == 1000


def test_a_commit_that_was_not_confirmed_is_not_repeated(ledger: Ledger) -> None:
    with (
        pytest.raises(CommitUnknown, match="ockham resume"),
        lease.fenced_transaction(ledger._engine, ledger.name, ledger.fence) as connection,
    ):
        _break(ledger, connection.scalar(text("SELECT pg_backend_pid()")))


def test_an_outage_that_lasts_is_an_error(postgresql: Server, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "AWAY_S", 1.0)
    postgresql.crash()
    try:
        with pytest.raises(OperationalError):
            ledger.propose([POINT])
    finally:
        postgresql.start()


def _break(ledger: Ledger, backend: int | None) -> None:
    with ledger._engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:backend, 5000)"), {"backend": backend})
