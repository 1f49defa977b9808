"""The ledger under several processes, on SQLite and on PostgreSQL."""

import re
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect

from study.errors import LeaseHeld, StudyMismatch, UsageError
from study.ledger import LeaseLost, Ledger, Proposal
from study.ledger.connection import connect
from study.ledger.schema import metadata
from tests.integration.postgresql_for_tests import postgresql
from tests.integration.postgresql_for_tests import server as postgresql_server
from tests.studies_for_tests import a_study, dense

GOLDEN = Path(__file__).parents[1] / "golden" / "ledgers"
POINT = Proposal({"data.label_noise": 1, "model.width": 16})


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A ledger's database, empty but for what other tests of the same server left."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'study.db'}"
    found: str = request.getfixturevalue("server")
    return found


def test_the_life_of_a_study_on_any_database(url: str, tmp_path: Path) -> None:
    config = a_study(tmp_path, name="life")
    ledger = Ledger.create(url, config)
    ledger.acquire()
    with pytest.raises(LeaseHeld):
        Ledger.create(url, config).acquire(wait_s=60)
    with pytest.raises(StudyMismatch, match="seed"):
        Ledger.create(url, a_study(tmp_path, name="life", seed=1))
    other = Ledger.create(url, a_study(tmp_path, name="other", seed=1))
    other.acquire()
    for study in (ledger, other):
        assert study.propose([POINT] * 3) == study.trials()
        assert study.numbers("QUEUED") == [0, 1, 2], "studies don't share numbers"
    attempt = ledger.start_attempt(1)
    ledger.record(1, attempt, [dense(1, loss=0.5), dense(2, loss=0.25)])
    ledger.requeue(1, charged=True)
    attempt = ledger.start_attempt(1)
    ledger.record(1, attempt, [dense(1, loss=0.5), dense(2, loss=0.25)])
    assert [(now.number, now.step) for now in ledger.progress()] == [(1, 2)]
    assert ledger.finish(1, attempt, "COMPLETE")
    assert not ledger.finish(1, attempt, "FAILED")
    row = ledger.trial(1)
    assert (row.state, row.attempts, row.charged, row.metrics) == ("COMPLETE", 2, 1, {"train/loss": 0.25})
    assert [row.kind for row in ledger.outbox()] == ["start", "step", "step", "start", "end"]
    ledger.forget_delivered([row.id for row in ledger.outbox(3)])
    assert ledger.outbox_size() == 2
    assert other.outbox_size() == 0
    ledger.request_stop()
    assert ledger.stop_requested()
    ledger.delete()
    assert other.next_number() == 3
    with pytest.raises(LeaseLost):
        ledger.propose([POINT])


def test_tables_of_version_1_are_brought_up_to_date_once(url: str, tmp_path: Path) -> None:
    """By whichever of several processes comes first; on PostgreSQL as on SQLite."""
    url = _ledger_of_version_1(url)
    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(lambda _: Ledger.open(url, "tiny"), range(6)))
    assert _columns(url) == _columns(Ledger.create(f"sqlite:///{tmp_path / 'new.db'}", a_study(tmp_path)).url)
    ledger = opened[0]
    assert [row.state for row in ledger.trials()] == ["COMPLETE", "FAILED", "QUEUED", "QUEUED"]
    ledger.acquire()
    ledger.request_stop(drain=True)
    assert ledger.stop_requested() == "drain"
    ledger.add([POINT.params])
    assert [row.number for row in ledger.take_added()] == [4]
    attempt = ledger.start_attempt(2)
    ledger.record(2, attempt, [dense(1, loss=0.5)])
    assert ledger.finish(2, attempt, "COMPLETE")
    assert ledger.trial(2).metrics == {"train/loss": 0.5}
    for each in opened:
        each.close()


def test_a_server_with_too_few_connections_is_refused(tmp_path: Path) -> None:
    few = ("max_connections=3", "max_wal_senders=0", "superuser_reserved_connections=0")
    with postgresql_server(*few) as there, pytest.raises(UsageError, match=r"takes 3 connections .* raise max_connec"):
        Ledger.create(there.url, a_study(tmp_path))


def test_tables_are_made_once_by_several_at_once(url: str, tmp_path: Path) -> None:
    if url.startswith("postgresql"):
        url = _fresh_database(url, "raced")
    names = [f"one{number}" for number in range(6)]
    with ThreadPoolExecutor(len(names)) as pool:
        made = list(pool.map(lambda name: Ledger.create(url, a_study(tmp_path, name=name)), names))
    assert [ledger.counts()["QUEUED"] for ledger in made] == [0] * len(names)
    for each in made:
        each.close()


def _ledger_of_version_1(url: str) -> str:
    """Its URL: a new database made from the SQL of that time."""
    script = (GOLDEN / "version_1.sql").read_text()
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(script)
        return url
    import psycopg

    url = _fresh_database(url, "older")
    script = re.sub(r"(?m)^(BEGIN|COMMIT|.*sqlite_sequence).*;$", "", script)
    script = script.replace("INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT", "BIGSERIAL PRIMARY KEY")
    with psycopg.connect(url) as connection:
        connection.execute(script.replace("BOOLEAN", "INTEGER").encode())  # its rows have 0 and 1
        for table, column in (("leases", "held"), ("studies", "stop_requested")):
            change = f"ALTER TABLE ockham_{table} ALTER {column} TYPE BOOLEAN USING {column} <> 0"
            connection.execute(change.encode())
        connection.execute("SELECT setval('ockham_outbox_id_seq', 6)")
    return url


def _fresh_database(url: str, name: str) -> str:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{url.rpartition('/')[0]}/{name}"


def _columns(url: str) -> dict[str, set[str]]:
    engine = connect(url, create=False)
    tables = inspect(engine)
    found = {table: {column["name"] for column in tables.get_columns(table)} for table in metadata.tables}
    engine.dispose()
    return found


WORKER = """
    import sys, time
    from study.ledger import Ledger, Proposal
    from trainables.record import Record
    url, name, fence, part = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    ledger = Ledger.open(url, name).with_fence(fence)
    for number in range(part, 40, 2):
        attempt = ledger.start_attempt(number)
        for step in range(5):
            ledger.record(number, attempt, [Record("dense", step, {"train/loss": 1.0 / (step + 1)})])
        ledger.finish(number, attempt, "COMPLETE")
        if part:
            ledger.forget_delivered([row.id for row in ledger.outbox(7)])
        ledger.heartbeat()
"""


def test_two_processes_and_a_reader_hammer_one_database(url: str, tmp_path: Path) -> None:
    ledger = Ledger.create(url, a_study(tmp_path, name="hammer"))
    fence = ledger.acquire()
    ledger.propose([POINT] * 40)
    command = [sys.executable, "-c", textwrap.dedent(WORKER), url, "hammer", str(fence)]
    writers = [subprocess.Popen([*command, str(part)]) for part in range(2)]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        counts = ledger.counts()
        assert sum(counts.values()) == 40
        assert counts["COMPLETE"] >= seen, "nothing that ended comes back"
        seen = counts["COMPLETE"]
        assert all(row.metrics == {"train/loss": 0.2} for row in ledger.trials(states=("COMPLETE",)))
        time.sleep(0.02)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert ledger.counts()["COMPLETE"] == 40
    assert all(len(records) == 5 for records in ledger.curves().values())
    lease = ledger.lease()
    assert lease is not None
    assert lease.heartbeat == 40, "no beat was lost"
    left = ledger.outbox(10_000)
    assert len(left) == 40 * 7 - 20 * 7
    assert [row.id for row in left] == sorted(row.id for row in left)


KILLED = """
    import sys
    from study.ledger import Ledger
    from trainables.record import Record
    ledger = Ledger.open(sys.argv[1], sys.argv[2])
    ledger.acquire(wait_s=0.5)
    print("go", flush=True)
    for number in ledger.numbers("QUEUED", "RUNNING"):
        attempt = ledger.start_attempt(number)
        for step in range(3):
            ledger.record(number, attempt, [Record("dense", step, {"train/loss": 1.0 / (step + 1)})])
        ledger.finish(number, attempt, "COMPLETE", records=[Record("summary", 0, {"compressibility/auc": 0.5})])
"""


def test_kills_at_any_point_leave_a_ledger_that_the_next_driver_completes(url: str, tmp_path: Path) -> None:
    ledger = Ledger.create(url, a_study(tmp_path, name="killed"))
    ledger.acquire()
    ledger.propose([POINT] * 60)
    ledger.release()
    kills = 0
    for delay in (0.03, 0.07, 0.11, 0.02, 0.05, 60.0):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), url, "killed"], stdout=subprocess.PIPE, text=True
        )
        with process:
            if process.stdout is None:
                raise RuntimeError("no pipe")
            assert process.stdout.readline() == "go\n"
            try:
                process.wait(timeout=delay)
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
    assert kills, "on this machine the delays are too long to kill anything"
    rows = ledger.trials()
    assert {row.state for row in rows} == {"COMPLETE"}
    assert all(row.metrics == {"train/loss": 1 / 3, "compressibility/auc": 0.5} for row in rows)
    told = [(row.number, row.kind, row.payload.get("stage"), row.payload.get("step")) for row in ledger.outbox(10_000)]
    finished = [message for message in told if message[1] != "start"]
    assert len(finished) == len(set(finished)) == 60 * 5, "each step and each end exactly once"
