"""Rows that say whether they are what was written: each carries a checksum of its other columns.

A flipped bit on a disk is no error to a database; without this it would be another figure in a report. Rows that an
earlier version wrote have no checksum, and say nothing, until they are written again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table, Update, bindparam, insert, update

from study.errors import Damaged
from study.ledger.schema import SEAL, UNSEALED

_DIGITS = 16


def seal_of(table: Table, values: Mapping[str, Any]) -> str:
    """The checksum of a row; columns that `values` lacks are null."""
    parts = []
    for name in _sealed_columns(table):
        value = values.get(name)
        text = value if isinstance(value, str) else repr(value)
        parts.append(f"{len(text)}:{text}")  # behind its length: no two rows are the same text but for their borders
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:_DIGITS]


def with_seal(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """A row to be inserted, with its checksum."""
    return {**values, SEAL: seal_of(table, values)}


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows (all of the same columns), each with its checksum."""
    if rows:
        connection.execute(_insertion(table), [row if SEAL in row else with_seal(table, row) for row in rows])


def update_row(connection: Connection, table: Table, row: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """Changes a row and its checksum in one statement, and returns what it is now.

    A row that is not what was written stays so: a new checksum would hide what was damaged before.

    Args:
        row: The whole row, as read in the same transaction.
    """
    if is_sound(table, row):
        values[SEAL] = seal_of(table, {**row, **values})
    connection.execute(_change(table), {**_keys(table, row), **values})
    return {**row, **values}


def renew(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Gives a row the checksum of what it is, where it is known from elsewhere that it may be relied on."""
    connection.execute(_change(table), {**_keys(table, row), SEAL: seal_of(table, row)})


def _keys(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {f"own_{key.name}": row[key.name] for key in table.primary_key.columns}


# Building a statement takes SQLAlchemy longer than running it; each of these is built once.


@cache
def _sealed_columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if column.name not in UNSEALED)


@cache
def _insertion(table: Table) -> Insert:
    return insert(table)


@cache
def _change(table: Table) -> Update:
    return update(table).where(*(key == bindparam(f"own_{key.name}") for key in table.primary_key.columns))


def is_sound(table: Table, row: Mapping[str, Any]) -> bool:
    """Whether a whole row is what was written."""
    seal = row[SEAL]
    return seal is None or seal == seal_of(table, row)


def verify(table: Table, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """`row`, which holds all columns of `table`.

    Raises:
        Damaged: It is not what was written.
    """
    if not is_sound(table, row):
        study = str(row["study"])
        raise Damaged(f"the ledger of {study!r} is damaged: {_name(table, row)} is not what was written", study)
    return row


def _name(table: Table, row: Mapping[str, Any]) -> str:
    """Which row, for people: `trial 7` or `a step of trial 7`."""
    kinds = {"ockham_trials": "trial", "ockham_steps": "a step of trial", "ockham_attempts": "an attempt of trial"}
    if "number" not in row:
        return "its configuration"
    return f"{kinds.get(table.name, 'a message about trial')} {row['number']}"
