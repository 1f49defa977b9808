"""What there is to know about trials: how many, in which state, what they are and what came of them."""

import json
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, cast

from sqlalchemy import Connection, Row, Select, and_, func, select

from study.ledger import steps
from study.ledger.rows import ENDED, STATES, State, TrialRow
from study.ledger.schema import attempts, trials
from study.ledger.sealing import verify
from trainables.record import Record

# Columns of the same name as a field of a trial; the others are JSON.
AS_STORED = [one.name for one in fields(TrialRow) if one.name not in ("params", "proposed", "metrics", "notes")]


def trials_begun(connection: Connection, study: str) -> int:
    """How many trials have ever run: less the budget can't become. Cheap."""
    query = select(func.count()).where(trials.c.study == study, trials.c.attempts > 0)
    return int(connection.execute(query).scalar_one())


def next_number(connection: Connection, study: str) -> int:
    """The number of the next trial to propose, which is how many there are: numbers have no gaps. Cheap."""
    last = connection.execute(select(func.max(trials.c.number)).where(trials.c.study == study)).scalar()
    return 0 if last is None else int(last) + 1


def counts(connection: Connection, study: str) -> dict[str, int]:
    """How many trials are in each state; every state is there. Cheap."""
    query = select(trials.c.state, func.count()).where(trials.c.study == study).group_by(trials.c.state)
    by_state = {row[0]: int(row[1]) for row in connection.execute(query)}
    return {state: by_state.get(state, 0) for state in STATES}


def attempt_times(connection: Connection, study: str) -> list[tuple[int, int | None]]:
    """(start, end) of every attempt in milliseconds; the end is None while it runs."""
    rows = connection.execute(select(attempts).where(attempts.c.study == study))
    return [(int(row.started_ms), row.ended_ms) for row in rows if verify(attempts, row._asdict())]


def attempts_begun(connection: Connection, study: str) -> int:
    """How many executions of all trials have begun. Cheap."""
    query = select(func.coalesce(func.sum(trials.c.attempts), 0)).where(trials.c.study == study)
    return int(connection.execute(query).scalar_one())


def numbers(connection: Connection, study: str, *states: str) -> list[int]:
    """Numbers of the trials in one of `states`, ascending. Cheap."""
    query = select(trials.c.number).where(trials.c.study == study, trials.c.state.in_(states))
    return list(connection.execute(query.order_by(trials.c.number)).scalars())


def states(connection: Connection, study: str, start: int = 0) -> dict[int, State]:
    """Number → state of the trials from `start` on, ascending. Cheap."""
    query = select(trials.c.number, trials.c.state).where(trials.c.study == study, trials.c.number >= start)
    return {row[0]: cast(State, row[1]) for row in connection.execute(query.order_by(trials.c.number))}


def rows(
    connection: Connection,
    study: str,
    numbers: Collection[int] | None = None,
    *,
    states: Collection[str] | None = None,
) -> list[TrialRow]:
    """Trials in the order of their numbers; all, or those among `numbers` and in one of `states`."""
    query = _whole_rows(study).order_by(trials.c.number)
    if numbers is not None:
        query = query.where(trials.c.number.in_(numbers))
    if states is not None:
        query = query.where(trials.c.state.in_(states))
    stored_rows = connection.execute(query).all()
    live_numbers = [row.number for row in stored_rows if row.state not in ENDED and row.attempts]
    live = steps.of_trials(connection, study, live_numbers) if live_numbers else {}
    return [_read(row, live) for row in stored_rows]


def read_trial(connection: Connection, study: str, number: int) -> TrialRow:
    """One trial.

    Raises:
        ValueError: It does not exist.
    """
    matches = rows(connection, study, [number])
    if not matches:
        raise no_such_trial(study, number)
    return matches[0]


def latest(connection: Connection, study: str, limit: int) -> list[TrialRow]:
    """The trials that ended last, at most so many, in the order of their ends."""
    query = select(trials.c.number).where(trials.c.study == study, trials.c.ended_ms.is_not(None))
    last = query.order_by(trials.c.ended_ms.desc(), trials.c.number.desc()).limit(limit)
    order = list(reversed(connection.execute(last).scalars().all()))
    by_number = {row.number: row for row in rows(connection, study, order)}
    return [by_number[number] for number in order]


def _whole_rows(study: str) -> Select[Any]:
    """With when each trial first started."""
    first = and_(attempts.c.study == trials.c.study, attempts.c.number == trials.c.number, attempts.c.attempt == 1)
    return select(trials, attempts.c.started_ms).outerjoin(attempts, first).where(trials.c.study == study)


def _read(row: Row[Any], live: dict[int, list[Record]]) -> TrialRow:
    verify(trials, row._asdict())
    if row.metrics is None:
        return trial_row(row._asdict(), *steps.merge(live.get(row.number, [])))
    return trial_row(row._asdict(), json.loads(row.metrics), json.loads(row.notes))


def trial_row(row: Mapping[str, Any], metrics: dict[str, float], notes: dict[str, str]) -> TrialRow:
    """A trial from its row, with when it first started, and from what its steps say."""
    columns = {name: row[name] for name in AS_STORED}
    params, proposed = json.loads(row["params"]), json.loads(row["proposed"])
    return TrialRow(**columns, params=params, proposed=proposed, metrics=metrics, notes=notes)


def no_such_trial(study: str, number: int) -> ValueError:
    """The error about a number that no trial of a study has."""
    return ValueError(f"study {study!r} has no trial {number}")
