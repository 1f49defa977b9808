"""The life of trials: QUEUED → RUNNING → COMPLETE, PRUNED or FAILED, with a way back from RUNNING to QUEUED."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from study.config import StudyConfig
from study.errors import StaleAttempt
from study.ledger import files, outbox, steps
from study.ledger.files import NewFile
from study.ledger.rows import ENDED, Proposal, State, TrialRow, now_ms
from study.ledger.schema import attempts, trials
from study.ledger.sealing import insert_rows, update_row, verify
from study.ledger.trials import AS_STORED, next_number, no_such_trial, numbers, trial_row
from trainables.record import Record

# Building a statement takes longer than running it: those of every trial are built once.
_TRIAL = select(trials).where(trials.c.study == bindparam("of_study"), trials.c.number == bindparam("of_number"))
_ATTEMPTS = (
    select(attempts)
    .where(attempts.c.study == bindparam("of_study"), attempts.c.number == bindparam("of_number"))
    .order_by(attempts.c.attempt)
)


def propose(connection: Connection, config: StudyConfig, uid: str, proposals: Sequence[Proposal]) -> list[TrialRow]:
    """Appends QUEUED trials with the next numbers. Here their configurations are validated.

    Raises:
        ValueError: A proposal is no valid trial, or was computed for another number than the next.
    """
    rows = []
    for number, proposal in enumerate(proposals, start=next_number(connection, config.name)):
        if proposal.number not in (None, number):
            raise ValueError(f"a proposal for trial {proposal.number} came when trial {number} was next")
        trial = config.space.config(proposal.params, config.seed)
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
            "created_ms": now_ms(),
        }
        rows.append(row)
    insert_rows(connection, trials, rows)
    return [trial_row(dict.fromkeys(AS_STORED) | row, {}, {}) for row in rows]


def start(connection: Connection, study: str, number: int, fence: int) -> int:
    """Begins an attempt (of a trial that is queued, or whose last attempt is dead) and returns its number.

    Raises:
        StaleAttempt: The trial has ended.
    """
    row = _stored_trial(connection, study, number)
    if row.state in ENDED:
        raise StaleAttempt(f"trial {number} has ended ({row.state}); it is not run again")
    if row.state == "RUNNING":
        _close_last(connection, row, "requeued")
    attempt, now = int(row.attempts) + 1, now_ms()
    update_row(connection, trials, row._asdict(), state="RUNNING", attempts=attempt)
    attempt_row = {"study": study, "number": number, "attempt": attempt, "fence": fence, "started_ms": now}
    insert_rows(connection, attempts, [attempt_row])
    outbox.put(connection, study, number, [("start", {"attempt": attempt})], now)
    return attempt


def record(
    connection: Connection,
    study: str,
    number: int,
    attempt: int,
    records: Sequence[Record],
    *,
    results: Sequence[NewFile] = (),
) -> None:
    """Stores steps and queues them for MLflow; repeats leave no trace.

    Args:
        records: Their `networks` are not stored here.
        results: Files that get their names in the transaction: a driver that lost its lease must not give them.
    Raises:
        StaleAttempt: `attempt` is not the trial's running one.
    """
    _refuse_stale(_stored_trial(connection, study, number), attempt)
    for new in results:
        files.put(connection, study, new)
    earlier = steps.step_rows(connection, study, number, records)
    steps.record(connection, study, number, attempt, records, known=earlier, now_ms=now_ms())


def finish(
    connection: Connection,
    study: str,
    number: int,
    attempt: int,
    state: State,
    *,
    records: Sequence[Record] = (),
    error: str | None = None,
    traceback: str | None = None,
    results: Sequence[NewFile] = (),
) -> TrialRow | None:
    """Ends a trial, in one transaction with its last `records`; its metrics are merged over all its steps.

    Args:
        results: As for `record`; left alone if the trial had ended before.
    Returns:
        The trial as it ended; None if it had ended before: then nothing changes.
    Raises:
        StaleAttempt: The trial runs in a newer attempt, or is queued again.
        Damaged: A row of the trial is not what was written.
    """
    if state not in ENDED:
        raise ValueError(f"a trial ends as one of {', '.join(ENDED)}, not {state}")
    row, now = _stored_trial(connection, study, number), now_ms()
    verify(trials, row._asdict())
    if row.state in ENDED:
        return None
    _refuse_stale(row, attempt)
    earlier = steps.step_rows(connection, study, number)
    rows = steps.record(connection, study, number, attempt, records, known=earlier, now_ms=now)
    metrics, notes = steps.merge(steps.newest(rows))
    executions = _close_last(connection, row, state, now)
    end_row = update_row(
        connection,
        trials,
        row._asdict(),
        state=state,
        error=error,
        traceback=traceback,
        metrics=json.dumps(metrics),
        notes=json.dumps(notes),
        duration_s=sum(one["ended_ms"] - one["started_ms"] for one in executions if one["ended_ms"] is not None) / 1000,
        ended_ms=now,
    )
    payload = {"state": state, "error": error, "metrics": metrics, "notes": notes}
    outbox.put(connection, study, number, [("end", payload)], now)
    for new in results:
        files.put(connection, study, new)
    return trial_row({**end_row, "started_ms": executions[0]["started_ms"]}, metrics, notes)


def add_measured(
    connection: Connection,
    study: str,
    number: int,
    names: Sequence[str],
    found: Record,
    *,
    results: Sequence[NewFile] = (),
) -> None:
    """Puts what measures of these names found into the summary of a trial that has ended; MLflow is told anew."""
    for new in results:
        files.put(connection, study, new)
    row, earlier = _stored_trial(connection, study, number), steps.step_rows(connection, study, number)
    *before, summary = steps.newest(earlier.values())
    new_summary = steps.with_measured(summary, names, found)
    steps.record(connection, study, number, row.attempts, [new_summary], known=earlier, now_ms=now_ms())
    metrics, notes = steps.merge([*before, new_summary])  # notes may be new where the metrics of its step are not
    update_row(connection, trials, row._asdict(), metrics=json.dumps(metrics), notes=json.dumps(notes))


def requeue(connection: Connection, study: str, number: int, *, charged: bool) -> None:
    """RUNNING → QUEUED, to be run again from its last checkpoint; does nothing to a trial that is not running.

    Args:
        charged: Whether the lost attempt counts as a worker death of the trial (`TrialRow.charged`).
    """
    row = _stored_trial(connection, study, number)
    if row.state != "RUNNING":
        return
    _close_last(connection, row, "charged" if charged else "requeued")
    update_row(connection, trials, row._asdict(), state="QUEUED", charged=row.charged + int(charged))


def retry_failed(connection: Connection, study: str) -> list[int]:
    """FAILED → QUEUED: the same numbers, new attempts. Returns them; other trials stay as they are."""
    failures = numbers(connection, study, "FAILED")
    retry(connection, study, failures)
    return failures


def retry(connection: Connection, study: str, which: Sequence[int]) -> None:
    """Ended → QUEUED, with its attempts, its steps and its MLflow run, and no deaths held against it any more."""
    blank = dict.fromkeys(("metrics", "notes", "error", "traceback", "duration_s", "ended_ms"))
    for number in which:
        row = _stored_trial(connection, study, number)
        update_row(connection, trials, row._asdict(), state="QUEUED", charged=0, **blank)
        outbox.put(connection, study, number, [("retry", {})], now_ms())


def _stored_trial(connection: Connection, study: str, number: int) -> Row[Any]:
    row = connection.execute(_TRIAL, {"of_study": study, "of_number": number}).first()
    if row is None:
        raise no_such_trial(study, number)
    return row


def _refuse_stale(row: Row[Any], attempt: int) -> None:
    """Results of an attempt that another has replaced."""
    if row.state != "RUNNING" or row.attempts != attempt:
        where = f"trial {row.number} is {row.state} in attempt {row.attempts}"
        raise StaleAttempt(f"{where}; attempt {attempt} came too late")


def _close_last(
    connection: Connection, trial: Row[Any], outcome: str, ended_ms: int | None = None
) -> list[Mapping[str, Any]]:
    """Ends the last attempt of a trial, unless it has ended; all its attempts as they are then.

    Args:
        ended_ms: None: when the attempt, which is dead, was last heard of. The time until its death was noticed is
            nobody's running time.
    """
    own_attempts = connection.execute(_ATTEMPTS, {"of_study": trial.study, "of_number": trial.number}).all()
    *before, last = (row._asdict() for row in own_attempts)
    if last["ended_ms"] is None:
        if ended_ms is None:
            ended_ms = max(last["started_ms"], steps.last_ms(connection, trial.study, trial.number) or 0)
        last = update_row(connection, attempts, last, outcome=outcome, ended_ms=ended_ms)
    return [*before, last]
