"""What MLflow has to be told, written in the transaction of the result itself and deleted when delivered."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Table, bindparam, delete, func, select, update

from study.ledger.rows import OutboxRow, RefusedValue, now_ms
from study.ledger.schema import attempts, outbox, steps, trials
from study.ledger.sealing import insert_rows, is_sound, verify

Kind = Literal["start", "step", "end", "retry", "aside"]
ASIDE: Kind = "aside"  # kept here, and not sent again
_RUN = update(trials).where(trials.c.study == bindparam("of_study"), trials.c.number == bindparam("of_number"))


def put(
    connection: Connection,
    study: str,
    number: int,
    messages: Sequence[tuple[Kind, Mapping[str, Any]]],
    recorded_ms: int,
) -> None:
    """Appends (kind, payload) messages about one trial."""
    own = {"study": study, "number": number, "recorded_ms": recorded_ms}
    insert_rows(
        connection, outbox, [{**own, "kind": kind, "payload": json.dumps(payload)} for kind, payload in messages]
    )


def read(connection: Connection, study: str, limit: int = 1000) -> list[OutboxRow]:
    """The oldest messages that MLflow has not confirmed, at most so many."""
    query = select(outbox).where(_waiting(study)).order_by(outbox.c.id).limit(limit)
    return [
        OutboxRow(row.id, row.number, row.kind, json.loads(row.payload), row.recorded_ms)
        for row in connection.execute(query)
        if verify(outbox, row._asdict())
    ]


def mend(connection: Connection, study: str) -> list[int]:
    """Tells MLflow again, from the trials themselves, what a damaged message was about; which trials."""
    rows = connection.execute(select(outbox).where(outbox.c.study == study)).all()
    damaged = sorted({row.number for row in rows if not is_sound(outbox, row._asdict())})
    for number in damaged:
        tell_again(connection, study, number)
    return damaged


def forget_delivered(
    connection: Connection, study: str, ids: Sequence[int], *, runs: Mapping[int, str] | None = None
) -> None:
    """Forgets messages that MLflow has confirmed.

    Args:
        runs: Trial number → the MLflow run that was made for it with these messages.
    """
    if runs:
        _set_runs(connection, study, runs)
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        connection.execute(delete(outbox).where(outbox.c.study == study, outbox.c.id.in_(chunk)))


def mlflow_runs(connection: Connection, study: str) -> dict[int, str]:
    """Trial number → id of its MLflow run, for those that have one. Cheap."""
    query = select(trials.c.number, trials.c.mlflow_run_id).where(trials.c.study == study)
    return {row[0]: row[1] for row in connection.execute(query.where(trials.c.mlflow_run_id.is_not(None)))}


def set_mlflow_run(connection: Connection, study: str, number: int, run_id: str) -> None:
    """Remembers the MLflow run of a trial."""
    _set_runs(connection, study, {number: run_id})


def _set_runs(connection: Connection, study: str, runs: Mapping[int, str]) -> None:
    rows = [{"of_study": study, "of_number": number, "mlflow_run_id": run_id} for number, run_id in runs.items()]
    connection.execute(_RUN, rows)


def size(connection: Connection, study: str) -> int:
    """How many messages MLflow has not confirmed."""
    return int(connection.execute(select(func.count()).select_from(outbox).where(_waiting(study))).scalar_one())


def numbers(connection: Connection, study: str) -> set[int]:
    """Trials about which MLflow has not been told everything."""
    return set(connection.execute(select(outbox.c.number).where(_waiting(study)).distinct()).scalars())


def end(connection: Connection, study: str) -> int:
    """Id of the newest message, 0 if none waits."""
    return int(connection.execute(select(func.max(outbox.c.id)).where(_waiting(study))).scalar() or 0)


def set_aside(connection: Connection, study: str, number: int, values: Sequence[RefusedValue]) -> None:
    """Keeps values of a trial that MLflow refuses for good; what is kept already is kept once."""
    known = {one.what for one in refused_values(connection, study).get(number, ())}
    new = [one for one in values if one.what not in known]
    put(connection, study, number, [(ASIDE, {"what": one.what, "why": one.why}) for one in new], now_ms())


def refused_values(connection: Connection, study: str) -> dict[int, list[RefusedValue]]:
    """Trial number → its values that MLflow refuses for good."""
    values: dict[int, list[RefusedValue]] = {}
    for row in connection.execute(select(outbox).where(outbox.c.study == study, outbox.c.kind == ASIDE)):
        verify(outbox, row._asdict())
        values.setdefault(row.number, []).append(RefusedValue(**json.loads(row.payload)))
    return values


def _waiting(study: str) -> ColumnElement[bool]:
    return (outbox.c.study == study) & (outbox.c.kind != ASIDE)


def tell_again(connection: Connection, study: str, number: int) -> None:
    """Queues all that is known of a trial, as it was recorded, for a run that is yet to be made; what waits goes.

    Raises:
        Damaged: Something of it is not what was written.
    """

    def rows_of_trial(table: Table) -> ColumnElement[bool]:
        return (table.c.study == study) & (table.c.number == number)

    connection.execute(delete(outbox).where(rows_of_trial(outbox)))
    connection.execute(update(trials).where(rows_of_trial(trials)).values(mlflow_run_id=None))
    for row in connection.execute(select(attempts).where(rows_of_trial(attempts)).order_by(attempts.c.attempt)).all():
        put(connection, study, number, [("start", {"attempt": row.attempt})], row.started_ms)
    for row in connection.execute(
        select(steps).where(rows_of_trial(steps)).order_by(steps.c.recorded_ms, steps.c.step)
    ).all():
        verify(steps, row._asdict())
        payload = {"metrics": json.loads(row.metrics), "notes": json.loads(row.notes)}
        put(connection, study, number, [("step", {"stage": row.stage, "step": row.step, **payload})], row.recorded_ms)
    trial = connection.execute(select(trials).where(rows_of_trial(trials))).one()
    verify(trials, trial._asdict())
    if trial.ended_ms is not None:
        payload = {"metrics": json.loads(trial.metrics), "notes": json.loads(trial.notes)}
        end = {"state": trial.state, "error": trial.error, **payload}
        put(connection, study, number, [("end", end)], trial.ended_ms)
