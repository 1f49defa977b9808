"""Ledgers of earlier versions, made from the SQL of their time, open with everything in them."""

import json
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from study.errors import UsageError
from study.ledger import Ledger, Proposal
from study.ledger.holder import this_process
from study.ledger.schema import SCHEMA_VERSION, metadata
from tests.studies_for_tests import a_ledger, a_study, dense

VERSIONS = sorted((Path(__file__).parents[1] / "golden" / "ledgers").glob("*.sql"))


@pytest.fixture(params=VERSIONS, ids=lambda path: path.stem)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A ledger of an earlier version: `tiny` with a finished, a failed and two waiting trials."""
    path = tmp_path / "study.db"
    connection = sqlite3.connect(path)
    connection.executescript(request.param.read_text())
    connection.close()
    return f"sqlite:///{path}"


def test_every_earlier_version_has_its_ledger_here() -> None:
    assert [path.stem for path in VERSIONS] == [f"version_{version}" for version in range(1, SCHEMA_VERSION)]


def test_an_older_study_opens_and_goes_on(url: str) -> None:
    ledger = Ledger.open(url, "tiny")
    assert [row.state for row in ledger.trials()] == ["COMPLETE", "FAILED", "QUEUED", "QUEUED"]
    done = ledger.trial(0)
    assert (done.metrics["train/accuracy"], done.params["model.width"], done.attempts) == (0.9, 16, 1)
    assert [record.step for record in ledger.steps(0)] == [1, 2]
    ledger.acquire()
    assert ledger.retry_failed() == [1]
    ledger.add([{"model.width": 32}])
    assert [row.number for row in ledger.take_added()] == [4]
    attempt = ledger.start_attempt(2)
    ledger.record(2, attempt, [dense(1, accuracy=0.5)])
    assert ledger.finish(2, attempt, "COMPLETE")
    ledger.close()
    assert Ledger.open(url, "tiny").trial(2).state == "COMPLETE", "the second opening changes nothing"


def test_its_tables_are_those_of_a_new_one(url: str, tmp_path: Path) -> None:
    Ledger.open(url, "tiny").close()
    fresh = a_ledger(tmp_path / "fresh")
    assert _columns(url) == _columns(fresh.url)


def test_it_is_left_alone_while_an_older_driver_works(url: str) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    holder = json.dumps(this_process().as_json())
    connection.execute("UPDATE ockham_leases SET held = 1, holder = ?", [holder])
    connection.commit()
    connection.close()
    with pytest.raises(UsageError, match=r"'tiny' is run by an older Ockham .* stop it with that version"):
        Ledger.open(url, "tiny")


def test_a_newer_one_is_refused(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    ledger.propose([Proposal({"model.width": 16})])
    connection = sqlite3.connect(ledger.url.removeprefix("sqlite:///"))
    connection.execute("UPDATE ockham_meta SET value = '99' WHERE key = 'schema_version'")
    connection.commit()
    connection.close()
    for opened in (lambda: Ledger.open(ledger.url, "tiny"), lambda: Ledger.create(ledger.url, a_study(tmp_path))):
        with pytest.raises(UsageError, match=r"newer Ockham \(ledger schema 99"):
            opened()


def _columns(url: str) -> dict[str, set[str]]:
    engine = create_engine(url)
    found = inspect(engine)
    tables = {table: {column["name"] for column in found.get_columns(table)} for table in metadata.tables}
    engine.dispose()
    return tables
