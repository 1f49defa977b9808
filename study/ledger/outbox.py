"""What tracking has to be told, written in the transaction of the result itself and deleted when delivered."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, select

from study.ledger.rows import OutboxRow
from study.ledger.schema import outbox


def put(
    connection: Connection,
    study: str,
    number: int,
    messages: Sequence[tuple[Literal["start", "step", "end"], Mapping[str, Any]]],
    recorded_ms: int,
) -> None:
    """Appends (kind, payload) messages about one trial."""
    if messages:
        connection.execute(
            insert(outbox),
            [
                {
                    "study": study,
                    "number": number,
                    "kind": kind,
                    "payload": json.dumps(payload),
                    "recorded_ms": recorded_ms,
                }
                for kind, payload in messages
            ],
        )


def read(connection: Connection, study: str, limit: int) -> list[OutboxRow]:
    """The oldest `limit` messages."""
    query = select(outbox).where(outbox.c.study == study).order_by(outbox.c.id).limit(limit)
    return [
        OutboxRow(row.id, row.number, row.kind, json.loads(row.payload), row.recorded_ms)
        for row in connection.execute(query)
    ]


def delivered(connection: Connection, study: str, ids: Sequence[int]) -> None:
    """Deletes messages that tracking has confirmed."""
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        connection.execute(delete(outbox).where(outbox.c.study == study, outbox.c.id.in_(chunk)))


def size(connection: Connection, study: str) -> int:
    """Messages not yet delivered."""
    return int(connection.execute(select(func.count()).select_from(outbox).where(outbox.c.study == study)).scalar_one())
