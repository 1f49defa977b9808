"""Rows that say whether they are what was written: each carries a checksum of its other columns.

A flipped bit on a disk is no error to a database; without this it would be another figure in a report. Rows that an
earlier version wrote have no checksum, and say nothing, until they are written again.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, RowMapping, Table, select, update

from study.errors import Damaged
from study.ledger.schema import SEAL, UNSEALED

_DIGITS = 16


def seal_of(table: Table, values: Mapping[str, Any] | RowMapping) -> str:
    """The checksum of a row; columns that `values` lacks are null."""
    told = (values.get(name) for name in _columns(table))
    # Each value behind its length: no two rows are the same text but for a number and its digits.
    texts = (value if isinstance(value, str) else repr(value) for value in told)
    return hashlib.sha256("".join(f"{len(text)}:{text}" for text in texts).encode()).hexdigest()[:_DIGITS]


@cache
def _columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if column.name not in UNSEALED)


def sealed(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """A row to be inserted, with its checksum."""
    return {**values, SEAL: seal_of(table, values)}


def reseal(connection: Connection, table: Table, where: ColumnElement[bool]) -> None:
    """Gives rows that have just been changed, in the same transaction, the checksum of what they are now."""
    keys = list(table.primary_key.columns)
    for row in connection.execute(select(table).where(where)).all():
        own = [key == row._mapping[key.name] for key in keys]
        connection.execute(update(table).where(*own).values({SEAL: seal_of(table, row._mapping)}))


def is_sound(table: Table, row: Row[Any]) -> bool:
    """Whether a whole row is what was written."""
    seal = row._mapping[SEAL]
    return seal is None or seal == seal_of(table, row._mapping)


def checked(table: Table, row: Row[Any]) -> Row[Any]:
    """`row`, which holds all columns of `table`.

    Raises:
        Damaged: It is not what was written.
    """
    if not is_sound(table, row):
        study = str(row._mapping["study"])
        raise Damaged(f"the ledger of {study!r} is damaged: {_where(table, row)} is not what was written", study)
    return row


def _where(table: Table, row: Row[Any]) -> str:
    """Which row, for people: `trial 7` or `a step of trial 7`."""
    said = {"ockham_trials": "trial", "ockham_steps": "a step of trial", "ockham_attempts": "an attempt of trial"}
    if "number" not in row._mapping:
        return "its configuration"
    return f"{said.get(table.name, 'a message about trial')} {row._mapping['number']}"
