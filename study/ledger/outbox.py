"""What tracking has to be told, written in the transaction of the result itself and deleted when delivered."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select, update

from study.ledger.rows import OutboxRow, Refused
from study.ledger.schema import attempts, outbox, steps, trials
from study.ledger.sealing import checked, is_sound, sealed

ASIDE = "aside"  # kept here, and not sent again


def put(
    connection: Connection,
    study: str,
    number: int,
    messages: Sequence[tuple[Literal["start", "step", "end", "retry", "aside"], Mapping[str, Any]]],
    recorded_ms: int,
) -> None:
    """Appends (kind, payload) messages about one trial."""
    own = {"study": study, "number": number, "recorded_ms": recorded_ms}
    if messages:
        connection.execute(
            insert(outbox),
            [sealed(outbox, {**own, "kind": kind, "payload": json.dumps(payload)}) for kind, payload in messages],
        )


def read(connection: Connection, study: str, limit: int) -> list[OutboxRow]:
    """The oldest `limit` messages."""
    query = select(outbox).where(_waiting(study)).order_by(outbox.c.id).limit(limit)
    return [
        OutboxRow(row.id, row.number, row.kind, json.loads(row.payload), row.recorded_ms)
        for row in (checked(outbox, row) for row in connection.execute(query))
    ]


def unsound(connection: Connection, study: str) -> list[int]:
    """Trials that a message waits about that is not what was written."""
    rows = connection.execute(select(outbox).where(outbox.c.study == study))
    return sorted({row.number for row in rows if not is_sound(outbox, row)})


def delivered(connection: Connection, study: str, ids: Sequence[int]) -> None:
    """Deletes messages that tracking has confirmed."""
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        connection.execute(delete(outbox).where(outbox.c.study == study, outbox.c.id.in_(chunk)))


def size(connection: Connection, study: str) -> int:
    """Messages not yet delivered."""
    return int(connection.execute(select(func.count()).select_from(outbox).where(_waiting(study))).scalar_one())


def numbers(connection: Connection, study: str) -> set[int]:
    """Trials that a message waits about."""
    return set(connection.execute(select(outbox.c.number).where(_waiting(study)).distinct()).scalars())


def end(connection: Connection, study: str) -> int:
    """The newest message's id, 0 if there is none."""
    return int(connection.execute(select(func.max(outbox.c.id)).where(_waiting(study))).scalar() or 0)


def set_aside(connection: Connection, study: str, number: int, values: Sequence[Refused], recorded_ms: int) -> None:
    """Keeps values that tracking refuses for good; what is kept already is kept once."""
    known = {one.what for one in aside(connection, study).get(number, ())}
    new = [one for one in values if one.what not in known]
    put(connection, study, number, [("aside", {"what": one.what, "why": one.why}) for one in new], recorded_ms)


def aside(connection: Connection, study: str) -> dict[int, list[Refused]]:
    """Trial → its values that tracking refuses for good."""
    found: dict[int, list[Refused]] = {}
    for row in connection.execute(select(outbox).where(outbox.c.study == study, outbox.c.kind == ASIDE)):
        found.setdefault(row.number, []).append(Refused(**json.loads(checked(outbox, row).payload)))
    return found


def _waiting(study: str) -> ColumnElement[bool]:
    return (outbox.c.study == study) & (outbox.c.kind != ASIDE)


def again(connection: Connection, study: str, number: int) -> None:
    """Replaces what waits about a trial by all that is known of it, and forgets its run.

    Raises:
        Damaged: Something of it is not what was written.
    """

    def own(table: Table) -> ColumnElement[bool]:
        return (table.c.study == study) & (table.c.number == number)

    connection.execute(delete(outbox).where(own(outbox)))
    connection.execute(update(trials).where(own(trials)).values(mlflow_run_id=None))
    for row in connection.execute(select(attempts).where(own(attempts)).order_by(attempts.c.attempt)).all():
        put(connection, study, number, [("start", {"attempt": row.attempt})], row.started_ms)
    for row in connection.execute(select(steps).where(own(steps)).order_by(steps.c.recorded_ms, steps.c.step)).all():
        checked(steps, row)
        payload = {"metrics": json.loads(row.metrics), "notes": json.loads(row.notes)}
        put(connection, study, number, [("step", {"stage": row.stage, "step": row.step, **payload})], row.recorded_ms)
    trial = checked(trials, connection.execute(select(trials).where(own(trials))).one())
    if trial.ended_ms is not None:
        payload = {"metrics": json.loads(trial.metrics), "notes": json.loads(trial.notes)}
        end = {"state": trial.state, "error": trial.error, **payload}
        put(connection, study, number, [("end", end)], trial.ended_ms)
