"""Per-step results: one row per trial, stage and step, however often an interrupted trial reports it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select

from study.ledger import outbox
from study.ledger.rows import LastStep
from study.ledger.schema import steps, trials
from study.ledger.sealing import insert_rows, is_sound, update_row, verify, with_seal
from trainables.record import Record

_ORDER = {"dense": 0, "level": 1, "summary": 2}
_STEPS = select(steps).where(steps.c.study == bindparam("of_study"), steps.c.number == bindparam("of_number"))
Key = tuple[str, int]  # stage and step


def step_rows(
    connection: Connection, study: str, number: int, records: Sequence[Record] | None = None
) -> dict[Key, Mapping[str, Any]]:
    """The rows of the steps of a trial, of whichever attempt, by stage and step; those of `records` only if given."""
    query, which = _STEPS, {"of_study": study, "of_number": number}
    if records is not None:
        query = query.where(steps.c.stage.in_({one.stage for one in records}))
        query = query.where(steps.c.step.in_({one.step for one in records}))
    return {(row.stage, row.step): row._asdict() for row in connection.execute(query, which)}


def record(
    connection: Connection,
    study: str,
    number: int,
    attempt: int,
    records: Sequence[Record],
    *,
    known: Mapping[Key, Mapping[str, Any]],
    now_ms: int,
) -> list[Mapping[str, Any]]:
    """Stores `records` and queues for MLflow what is new.

    A step that an earlier attempt reported with the same metrics (costs aside, which differ from run to run) keeps its
    row, its time and its costs, and MLflow hears nothing: that is how a resumed trial's replay leaves no trace.

    Args:
        known: The rows that the trial has of these steps, and of others if it has any.
    Returns:
        The rows of `step_rows` and `records` as they are now.
    """
    rows, fresh, messages = dict(known), [], []
    latest = {(record.stage, record.step): (record.metrics, record.notes) for record in records}
    for (stage, step), (metrics, notes) in latest.items():
        before = rows.get((stage, step))
        if before is not None and not is_sound(steps, before):
            forget(connection, before)
            before = None
        content: dict[str, Any] = {"attempt": attempt}
        if before is None or _lasting(json.loads(before["metrics"])) != _lasting(metrics):
            content |= {"metrics": json.dumps(metrics), "notes": json.dumps(notes)}
            messages.append({"stage": stage, "step": step, "metrics": metrics, "notes": notes})
        if before is None:
            own = {"study": study, "number": number, "stage": stage, "step": step, "recorded_ms": now_ms}
            fresh.append(with_seal(steps, own | content))
            rows[stage, step] = fresh[-1]
        elif content.items() - before.items():
            rows[stage, step] = update_row(connection, steps, before, **content)
    insert_rows(connection, steps, fresh)
    outbox.put(connection, study, number, [("step", payload) for payload in messages], now_ms)
    return [*rows.values()]


def forget(connection: Connection, row: Mapping[str, Any]) -> None:
    """Deletes a step, e.g. one that is not what was written."""
    own = (steps.c[key.name] == row[key.name] for key in steps.primary_key.columns)
    connection.execute(delete(steps).where(*own))


def newest(rows: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The steps of a trial's newest attempt that reported any, in the order dense, level, summary.

    Args:
        rows: All that the trial has.
    Raises:
        Damaged: One of them is not what was written.
    """
    in_order = sorted(rows, key=lambda row: (_ORDER[row["stage"]], row["step"]))
    last = max((row["attempt"] for row in in_order), default=0)
    return [_record(row) for row in in_order if row["attempt"] == last]


def of_trial(connection: Connection, study: str, number: int) -> list[Record]:
    """The steps of a trial (without networks), dense, level, summary, of the newest attempt that reported any."""
    return newest(step_rows(connection, study, number).values())


def of_trials(connection: Connection, study: str, numbers: Iterable[int] | None = None) -> dict[int, list[Record]]:
    """Trial number → its steps, for all trials that reported any (or those among `numbers`)."""
    query = select(steps).where(steps.c.study == study).order_by(steps.c.number)
    if numbers is not None:
        query = query.where(steps.c.number.in_(list(numbers)))
    groups: dict[int, list[Mapping[str, Any]]] = {}
    for row in connection.execute(query):
        groups.setdefault(row.number, []).append(row._asdict())
    return {number: newest(rows) for number, rows in groups.items()}


def dense_values(connection: Connection, study: str, metric: str) -> list[tuple[int, int, float]]:
    """(trial number, epoch, value) wherever a dense record has the metric, of whichever attempt; sorted."""
    query = select(steps).where(steps.c.study == study, steps.c.stage == "dense")
    rows = [verify(steps, row._asdict()) for row in connection.execute(query)]
    values = [(row["number"], row["step"], json.loads(row["metrics"]).get(metric)) for row in rows]
    return sorted((number, step, float(value)) for number, step, value in values if value is not None)


def merge(records: Sequence[Record]) -> tuple[dict[str, float], dict[str, str]]:
    """Merges steps into metrics and notes of their trial: the last dense record's, the levels', the summary's."""
    dense = [record for record in records if record.stage == "dense"][-1:]
    metrics: dict[str, float] = {}
    notes: dict[str, str] = {}
    for part in (*dense, *(record for record in records if record.stage != "dense")):
        metrics |= part.metrics
        notes |= part.notes
    return metrics, notes


def with_measured(summary: Record, names: Sequence[str], found: Record) -> Record:
    """A summary with what measures of these names found in place of what it had of them."""

    def without_measures(known: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in known.items() if not any(f"measure/{name}/" in key for name in names)}

    metrics, notes = without_measures(summary.metrics) | found.metrics, without_measures(summary.notes) | found.notes
    return replace(summary, metrics=metrics, notes=notes)


def progress(connection: Connection, study: str) -> list[LastStep]:
    """The last reported step of each running trial that has reported any in its newest attempt."""
    query = (
        select(steps.c.number, steps.c.stage, func.max(steps.c.step), func.max(steps.c.recorded_ms))
        .join(trials, (trials.c.study == steps.c.study) & (trials.c.number == steps.c.number))
        .where(steps.c.study == study, trials.c.state == "RUNNING", steps.c.attempt == trials.c.attempts)
        .group_by(steps.c.number, steps.c.stage)
    )
    last: dict[int, LastStep] = {}
    for number, stage, step, recorded_ms in connection.execute(query):
        if number not in last or _ORDER[stage] > _ORDER[last[number].stage]:
            last[number] = LastStep(number, stage, step, recorded_ms)
    return [last[number] for number in sorted(last)]


def last_ms(connection: Connection, study: str, number: int) -> int | None:
    """When the trial last reported something."""
    query = select(func.max(steps.c.recorded_ms)).where(steps.c.study == study, steps.c.number == number)
    return connection.execute(query).scalar()


def _record(row: Mapping[str, Any]) -> Record:
    verify(steps, row)
    return Record(row["stage"], row["step"], json.loads(row["metrics"]), json.loads(row["notes"]))


def _lasting(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if not name.startswith("cost/")}
