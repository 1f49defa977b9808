"""Per-step results: one row per trial, stage and step, however often an interrupted trial reports it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, update

from study.ledger import outbox
from study.ledger.rows import Progress
from study.ledger.schema import steps, trials
from study.ledger.sealing import checked, is_sound, sealed
from trainables.record import Record

_ORDER = {"dense": 0, "level": 1, "summary": 2}


def record(
    connection: Connection, study: str, number: int, attempt: int, records: Sequence[Record], *, now_ms: int
) -> None:
    """Stores `records` and tells tracking what is new.

    A step that an earlier attempt reported with the same metrics (costs aside, which differ from run to run) keeps its
    row, its time and its costs, and tracking hears nothing: that is how a resumed trial's replay leaves no trace.
    """
    latest = {(record.stage, record.step): (record.metrics, record.notes) for record in records}
    stages, numbers = {stage for stage, _ in latest}, {step for _, step in latest}
    known = {
        (row.stage, row.step): row
        for row in connection.execute(
            select(steps).where(
                steps.c.study == study,
                steps.c.number == number,
                steps.c.stage.in_(stages),
                steps.c.step.in_(numbers),
            )
        )
    }
    fresh, messages = [], []
    for (stage, step), (metrics, notes) in latest.items():
        values: dict[str, Any] = {"attempt": attempt}
        before = known.get((stage, step))
        if before is not None and not is_sound(steps, before):
            connection.execute(delete(steps).where(_own(study, number, stage, step)))
            before = None
        changed = before is None or _lasting(json.loads(before.metrics)) != _lasting(metrics)
        if changed:
            values |= {"metrics": json.dumps(metrics), "notes": json.dumps(notes)}
            messages.append(("step", {"stage": stage, "step": step, "metrics": metrics, "notes": notes}))
        if before is None:
            own = {"study": study, "number": number, "stage": stage, "step": step, "recorded_ms": now_ms}
            fresh.append(sealed(steps, own | values))
        elif changed or before.attempt != attempt:
            now = sealed(steps, {**before._mapping, **values})
            connection.execute(update(steps).where(_own(study, number, stage, step)).values(**now))
    if fresh:
        connection.execute(insert(steps), fresh)
    outbox.put(connection, study, number, [("step", payload) for _, payload in messages], now_ms)


def of_trial(connection: Connection, study: str, number: int) -> list[Record]:
    """The steps of the newest attempt that reported any, in the order dense, level, summary."""
    return [_record(row) for row in _newest(_rows(connection, study, [number]))]


def of_trials(connection: Connection, study: str, numbers: Iterable[int] | None = None) -> dict[int, list[Record]]:
    """Trial number → its steps, as `of_trial`, for all trials that reported any."""
    grouped: dict[int, list[Row[Any]]] = {}
    for row in _rows(connection, study, None if numbers is None else list(numbers)):
        grouped.setdefault(row.number, []).append(row)
    return {number: [_record(row) for row in _newest(rows)] for number, rows in grouped.items()}


def dense_values(connection: Connection, study: str, metric: str) -> list[tuple[int, int, float]]:
    """(trial number, epoch, value) wherever a dense record has the metric, of whichever attempt; sorted."""
    query = select(steps).where(steps.c.study == study, steps.c.stage == "dense")
    rows = [checked(steps, row) for row in connection.execute(query)]
    found = [(row.number, row.step, json.loads(row.metrics).get(metric)) for row in rows]
    return sorted((number, step, float(value)) for number, step, value in found if value is not None)


def merged(records: Sequence[Record]) -> tuple[dict[str, float], dict[str, str]]:
    """Metrics and notes of a trial: the last dense record's, the last of each level's, the summary's."""
    dense = [record for record in records if record.stage == "dense"][-1:]
    metrics: dict[str, float] = {}
    notes: dict[str, str] = {}
    for part in (*dense, *(record for record in records if record.stage != "dense")):
        metrics |= part.metrics
        notes |= part.notes
    return metrics, notes


def measured_anew(summary: Record, names: Sequence[str], found: Record) -> Record:
    """A summary with what measures of these names found in place of what it had of them."""

    def others(known: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in known.items() if not any(f"measure/{name}/" in key for name in names)}

    metrics, notes = others(summary.metrics) | found.metrics, others(summary.notes) | found.notes
    return replace(summary, metrics=metrics, notes=notes)


def progress(connection: Connection, study: str) -> list[Progress]:
    """The last reported step of each running trial that has reported any in its newest attempt."""
    query = (
        select(steps.c.number, steps.c.stage, func.max(steps.c.step), func.max(steps.c.recorded_ms))
        .join(trials, (trials.c.study == steps.c.study) & (trials.c.number == steps.c.number))
        .where(steps.c.study == study, trials.c.state == "RUNNING", steps.c.attempt == trials.c.attempts)
        .group_by(steps.c.number, steps.c.stage)
    )
    last: dict[int, Progress] = {}
    for number, stage, step, recorded_ms in connection.execute(query):
        if number not in last or _ORDER[stage] > _ORDER[last[number].stage]:
            last[number] = Progress(number, stage, step, recorded_ms)
    return [last[number] for number in sorted(last)]


def last_ms(connection: Connection, study: str, number: int) -> int | None:
    """When the trial last reported something."""
    query = select(func.max(steps.c.recorded_ms)).where(steps.c.study == study, steps.c.number == number)
    return connection.execute(query).scalar()


def _rows(connection: Connection, study: str, numbers: list[int] | None) -> list[Row[Any]]:
    query = select(steps).where(steps.c.study == study)
    if numbers is not None:
        query = query.where(steps.c.number.in_(numbers))
    rows = connection.execute(query).all()
    return sorted(rows, key=lambda row: (row.number, _ORDER[row.stage], row.step))


def _newest(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    newest = max((row.attempt for row in rows), default=0)
    return [row for row in rows if row.attempt == newest]


def _own(study: str, number: int, stage: str, step: int) -> ColumnElement[bool]:
    """One step's row."""
    c = steps.c
    return and_(c.study == study, c.number == number, c.stage == stage, c.step == step)


def _record(row: Row[Any]) -> Record:
    checked(steps, row)
    return Record(row.stage, row.step, json.loads(row.metrics), json.loads(row.notes))


def _lasting(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if not name.startswith("cost/")}
