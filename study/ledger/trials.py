"""The life of trials: QUEUED → RUNNING → COMPLETE, PRUNED or FAILED, with a way back from RUNNING to QUEUED."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import Connection, Row, Select, and_, func, insert, select, update

from study.config import StudyConfig
from study.errors import StaleAttempt
from study.ledger import outbox, steps
from study.ledger.rows import ENDED, STATES, Proposal, State, TrialRow
from study.ledger.schema import attempts, trials
from study.ledger.sealing import checked, reseal, sealed
from trainables.record import Record


def propose(
    connection: Connection, config: StudyConfig, uid: str, proposals: Sequence[Proposal], now_ms: int
) -> list[int]:
    """Appends QUEUED trials with the next numbers.

    Raises:
        ValueError: A proposal is no valid trial, or was computed for another number than the next.
    """
    first = proposed_count(connection, config.name)
    rows = []
    for number, proposal in enumerate(proposals, start=first):
        if proposal.number not in (None, number):
            raise ValueError(f"a proposal for trial {proposal.number} came when trial {number} was next")
        trial = proposal.trial or config.space.config(proposal.params, config.seed)
        row = {
            "study": config.name,
            "number": number,
            "state": "QUEUED",
            "role": proposal.role,
            "proposed": json.dumps(proposal.params),
            "params": json.dumps(trial.flat()),
            "fingerprint": trial.fingerprint(),
            "seen": proposal.seen,
            "added": proposal.added,
            "cell": proposal.cell_as(number, config.draws),
            "uid": f"{config.name}/{uid}/{number}",
            "attempts": 0,
            "charged": 0,
            "created_ms": now_ms,
        }
        rows.append(sealed(trials, row))
    if rows:
        connection.execute(insert(trials), rows)
    return list(range(first, first + len(rows)))


def start(connection: Connection, study: str, number: int, fence: int, now_ms: int) -> int:
    """Begins an attempt (of a trial that is queued, or whose last attempt is dead) and returns its number.

    Raises:
        StaleAttempt: The trial has ended.
    """
    row = _one(connection, study, number)
    if row.state in ENDED:
        raise StaleAttempt(f"trial {number} has ended ({row.state}); it is not run again")
    if row.state == "RUNNING":
        _close(
            connection, study, number, row.attempts, outcome="requeued", ended_ms=_last_sign(connection, study, number)
        )
    attempt = int(row.attempts) + 1
    _update(connection, study, number, state="RUNNING", attempts=attempt)
    begun = {"study": study, "number": number, "attempt": attempt, "fence": fence, "started_ms": now_ms}
    connection.execute(insert(attempts).values(sealed(attempts, begun)))
    outbox.put(connection, study, number, [("start", {"attempt": attempt})], now_ms)
    return attempt


def require_running(connection: Connection, study: str, number: int, attempt: int) -> None:
    """Refuses results of an attempt that another has replaced.

    Raises:
        StaleAttempt: `attempt` is not the one that is running.
    """
    _refuse_stale(_one(connection, study, number), number, attempt)


def finish(
    connection: Connection,
    study: str,
    number: int,
    attempt: int,
    state: State,
    *,
    records: Sequence[Record],
    error: str | None,
    traceback: str | None,
    now_ms: int,
) -> TrialRow | None:
    """Records the last steps and ends the trial; as which. None, and nothing changes, if it has ended already."""
    if state not in ENDED:
        raise ValueError(f"a trial ends as one of {', '.join(ENDED)}, not {state}")
    row = connection.execute(_whole_rows(study).where(trials.c.number == number)).first()
    if row is None:
        raise ValueError(_absent(study, number))
    if row.state in ENDED:
        return None
    _refuse_stale(row, number, attempt)
    steps.record(connection, study, number, attempt, records, now_ms=now_ms)
    metrics, notes = steps.merged(steps.of_trial(connection, study, number))
    _close(connection, study, number, attempt, outcome=state, ended_ms=now_ms)
    spent = select(func.sum(attempts.c.ended_ms - attempts.c.started_ms)).where(
        attempts.c.study == study, attempts.c.number == number
    )
    how: dict[str, Any] = {
        "state": state,
        "error": error,
        "traceback": traceback,
        "duration_s": float(connection.execute(spent).scalar_one()) / 1000,
        "ended_ms": now_ms,
    }
    _update(connection, study, number, metrics=json.dumps(metrics), notes=json.dumps(notes), **how)
    payload = {"state": state, "error": error, "metrics": metrics, "notes": notes}
    outbox.put(connection, study, number, [("end", payload)], now_ms)
    return replace(_trial_row(row, {}), metrics=metrics, notes=notes, **how)


def add_measured(
    connection: Connection, study: str, number: int, names: Sequence[str], found: Record, *, now_ms: int
) -> None:
    """Puts what measures found into the summary of a trial that has ended, which tracking hears anew."""
    row = _one(connection, study, number)
    *before, summary = steps.of_trial(connection, study, number)
    said = steps.measured_anew(summary, names, found)
    steps.record(connection, study, number, row.attempts, [said], now_ms=now_ms)
    metrics, notes = steps.merged([*before, said])
    _update(connection, study, number, metrics=json.dumps(metrics), notes=json.dumps(notes))


def requeue(connection: Connection, study: str, number: int, *, charged: bool) -> None:
    """RUNNING → QUEUED; other states stay as they are. A charged attempt counts as a worker death of the trial."""
    row = _one(connection, study, number)
    if row.state != "RUNNING":
        return
    outcome = "charged" if charged else "requeued"
    _close(connection, study, number, row.attempts, outcome=outcome, ended_ms=_last_sign(connection, study, number))
    _update(connection, study, number, state="QUEUED", charged=row.charged + int(charged))


def retry(connection: Connection, study: str, numbers: Sequence[int], now_ms: int) -> None:
    """FAILED → QUEUED, with its attempts, its steps and its MLflow run, and no deaths held against it any more."""
    blank = dict.fromkeys(("metrics", "notes", "error", "traceback", "duration_s", "ended_ms"))
    for number in numbers:
        _update(connection, study, number, state="QUEUED", charged=0, **blank)
        outbox.put(connection, study, number, [("retry", {})], now_ms)


def begun(connection: Connection, study: str) -> int:
    """How many trials have ever run."""
    query = select(func.count()).where(trials.c.study == study, trials.c.attempts > 0)
    return int(connection.execute(query).scalar_one())


def proposed_count(connection: Connection, study: str) -> int:
    """Trials there are, which is also the next number: numbers have no gaps."""
    last = connection.execute(select(func.max(trials.c.number)).where(trials.c.study == study)).scalar()
    return 0 if last is None else int(last) + 1


def counts(connection: Connection, study: str) -> dict[str, int]:
    """Trials by state; every state is there."""
    query = select(trials.c.state, func.count()).where(trials.c.study == study).group_by(trials.c.state)
    found = {row[0]: int(row[1]) for row in connection.execute(query)}
    return {state: found.get(state, 0) for state in STATES}


def attempt_times(connection: Connection, study: str) -> list[tuple[int, int | None]]:
    """(start, end) of every attempt in milliseconds; the end is None while it runs."""
    rows = connection.execute(select(attempts).where(attempts.c.study == study))
    return [(int(row.started_ms), row.ended_ms) for row in rows if checked(attempts, row)]


def attempts_begun(connection: Connection, study: str) -> int:
    """Attempts of all trials together."""
    query = select(func.coalesce(func.sum(trials.c.attempts), 0)).where(trials.c.study == study)
    return int(connection.execute(query).scalar_one())


def numbers(connection: Connection, study: str, states: Collection[str]) -> list[int]:
    """Numbers of the trials in one of `states`, ascending."""
    query = select(trials.c.number).where(trials.c.study == study, trials.c.state.in_(states))
    return list(connection.execute(query.order_by(trials.c.number)).scalars())


def states(connection: Connection, study: str, start: int) -> dict[int, State]:
    """Number → state of the trials from `start` on, ascending."""
    query = select(trials.c.number, trials.c.state).where(trials.c.study == study, trials.c.number >= start)
    return {row[0]: cast(State, row[1]) for row in connection.execute(query.order_by(trials.c.number))}


def rows(
    connection: Connection,
    study: str,
    *,
    wanted: Collection[int] | None = None,
    states: Collection[str] | None = None,
) -> list[TrialRow]:
    """Trials in the order of their numbers, all unless told which."""
    query = _whole_rows(study).order_by(trials.c.number)
    if wanted is not None:
        query = query.where(trials.c.number.in_(wanted))
    if states is not None:
        query = query.where(trials.c.state.in_(states))
    found = connection.execute(query).all()
    unfinished = [row.number for row in found if row.state not in ENDED and row.attempts]
    live = steps.of_trials(connection, study, unfinished) if unfinished else {}
    return [_trial_row(row, live) for row in found]


def latest(connection: Connection, study: str, limit: int) -> list[int]:
    """Numbers of the trials that ended last, in the order of their ends."""
    query = select(trials.c.number).where(trials.c.study == study, trials.c.ended_ms.is_not(None))
    found = connection.execute(query.order_by(trials.c.ended_ms.desc(), trials.c.number.desc()).limit(limit))
    return list(reversed(found.scalars().all()))


def _whole_rows(study: str) -> Select[Any]:
    """With when each trial first started."""
    first = and_(attempts.c.study == trials.c.study, attempts.c.number == trials.c.number, attempts.c.attempt == 1)
    return select(trials, attempts.c.started_ms).outerjoin(attempts, first).where(trials.c.study == study)


def _trial_row(row: Row[Any], live: dict[int, list[Any]]) -> TrialRow:
    checked(trials, row)
    metrics, notes = (
        steps.merged(live.get(row.number, []))
        if row.metrics is None
        else (json.loads(row.metrics), json.loads(row.notes))
    )
    return TrialRow(
        number=row.number,
        state=cast(State, row.state),
        role=row.role,
        params=json.loads(row.params),
        metrics=metrics,
        notes=notes,
        attempts=row.attempts,
        uid=row.uid,
        mlflow_run_id=row.mlflow_run_id,
        fingerprint=row.fingerprint,
        duration_s=row.duration_s,
        error=row.error,
        traceback=row.traceback,
        charged=row.charged,
        proposed=json.loads(row.proposed),
        seen=row.seen,
        created_ms=row.created_ms,
        started_ms=row.started_ms,
        ended_ms=row.ended_ms,
        added=row.added,
        cell=row.cell,
    )


def _one(connection: Connection, study: str, number: int) -> Row[str, int, int]:
    query = select(trials.c.state, trials.c.attempts, trials.c.charged)
    row = connection.execute(query.where(trials.c.study == study, trials.c.number == number)).first()
    if row is None:
        raise ValueError(_absent(study, number))
    return row


def _refuse_stale(row: Row[*tuple[Any, ...]], number: int, attempt: int) -> None:
    if row.state != "RUNNING" or row.attempts != attempt:
        raise StaleAttempt(f"trial {number} is {row.state} in attempt {row.attempts}; attempt {attempt} came too late")


def _absent(study: str, number: int) -> str:
    return f"study {study!r} has no trial {number}"


def _update(connection: Connection, study: str, number: int, **values: Any) -> None:
    own = and_(trials.c.study == study, trials.c.number == number)
    connection.execute(update(trials).where(own).values(**values))
    reseal(connection, trials, own)


def _close(connection: Connection, study: str, number: int, attempt: int, *, outcome: str, ended_ms: int) -> None:
    own = and_(attempts.c.study == study, attempts.c.number == number, attempts.c.attempt == attempt)
    connection.execute(
        update(attempts).where(own, attempts.c.ended_ms.is_(None)).values(outcome=outcome, ended_ms=ended_ms)
    )
    reseal(connection, attempts, own)


def _last_sign(connection: Connection, study: str, number: int) -> int:
    """When a dead attempt was last heard of: the time until its death was noticed is nobody's running time."""
    query = select(func.max(attempts.c.started_ms)).where(attempts.c.study == study, attempts.c.number == number)
    started = int(connection.execute(query).scalar_one())
    return max(started, steps.last_ms(connection, study, number) or 0)
