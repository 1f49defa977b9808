"""How the tables of an older ledger become those of this version: one function a version, all in one transaction.

Each speaks SQL about the tables as they were then, never through `study.ledger.schema`, which goes on changing. A test
holds a ledger of every version (tests/unit/test_migrations.py).
"""

import json
from collections.abc import Callable

from sqlalchemy import Connection, text

from study.errors import UsageError
from study.ledger.holder import Holder
from study.ledger.schema import SCHEMA_VERSION


def upgrade(connection: Connection, found: int) -> None:
    """Brings the tables from version `found` to SCHEMA_VERSION.

    Raises:
        UsageError: A driver that knows the old tables only is at work.
    """
    if found >= SCHEMA_VERSION:  # another process was faster
        return
    _nobody_works(connection)
    for version in range(found + 1, SCHEMA_VERSION + 1):
        for statement in _STATEMENTS[version](connection.dialect.name):
            connection.execute(text(statement))
    changed = text("UPDATE ockham_meta SET value = :version WHERE key = 'schema_version'")
    connection.execute(changed, {"version": str(SCHEMA_VERSION)})


def _nobody_works(connection: Connection) -> None:
    for study, holder in connection.execute(text("SELECT study, holder FROM ockham_leases WHERE held")).all():
        if holder and Holder(**json.loads(holder)).fate() != "dead":
            raise UsageError(
                f"study {study!r} is run by an older Ockham ({Holder(**json.loads(holder))}), and its ledger has to be "
                f"brought up to date first; stop it with that version, or wait for it"
            )


def _stop_has_two_ways_and_trials_can_be_added(dialect: str) -> list[str]:
    """Version 2: `stop` (nothing, now, drain) in place of yes or no; a queue of configurations from other processes."""
    number = "INTEGER PRIMARY KEY" if dialect == "sqlite" else "BIGSERIAL PRIMARY KEY"
    return [
        "ALTER TABLE ockham_studies ADD COLUMN stop VARCHAR(8) DEFAULT '' NOT NULL",
        "UPDATE ockham_studies SET stop = 'now' WHERE stop_requested",
        "ALTER TABLE ockham_studies DROP COLUMN stop_requested",
        f"CREATE TABLE ockham_added (id {number}, study VARCHAR(128) NOT NULL, params TEXT NOT NULL)",
    ]


def _trials_say_whether_they_were_added(_dialect: str) -> list[str]:
    """Version 3: `added` of trials. Of earlier ones it is known where the sampler does not explore as well."""
    return [
        "ALTER TABLE ockham_trials ADD COLUMN added BOOLEAN DEFAULT FALSE NOT NULL",
        "UPDATE ockham_trials SET added = TRUE WHERE role = 'explore' AND seen IS NULL",
    ]


def _inputs_are_recorded(_dialect: str) -> list[str]:
    """Version 4: what trials read from files. Nothing is known of what earlier ones read."""
    return [
        "CREATE TABLE ockham_inputs (study VARCHAR(128) NOT NULL, key VARCHAR(32) NOT NULL, content TEXT NOT NULL, "
        "PRIMARY KEY (study, key))",
    ]


def _rows_are_sealed_and_files_listed(_dialect: str) -> list[str]:
    """Version 5: checksums of rows, and of results in files. What was written before has none and says nothing."""
    tables = ("studies", "trials", "attempts", "steps", "outbox")
    return [
        *(f"ALTER TABLE ockham_{table} ADD COLUMN seal VARCHAR(16)" for table in tables),
        "CREATE TABLE ockham_files (study VARCHAR(128) NOT NULL, name VARCHAR(200) NOT NULL, number INTEGER NOT NULL, "
        "size BIGINT NOT NULL, sha256 VARCHAR(64) NOT NULL, PRIMARY KEY (study, name))",
    ]


def _trials_say_their_dense_cell(_dialect: str) -> list[str]:
    """Version 6: `cell` of trials. Earlier ones have none: their draws are keyed by their numbers."""
    return [
        "ALTER TABLE ockham_trials ADD COLUMN cell VARCHAR(32)",
        "UPDATE ockham_trials SET seal = NULL",  # of fewer columns than a row has now
    ]


_STATEMENTS: dict[int, Callable[[str], list[str]]] = {
    2: _stop_has_two_ways_and_trials_can_be_added,
    3: _trials_say_whether_they_were_added,
    4: _inputs_are_recorded,
    5: _rows_are_sealed_and_files_listed,
    6: _trials_say_their_dense_cell,
}
