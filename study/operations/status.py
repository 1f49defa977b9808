"""How a study is doing, read from its ledger by any process, whoever runs it."""

import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from study.costs.cost import NOTHING, Cost, cost_so_far
from study.display.board import LAST, Board
from study.errors import Damaged, UsageError
from study.ledger import ENDED, Ledger, State, TrialRow
from study.ledger.place import Place
from study.passwords import mask_passwords

Phase = Literal["running", "interrupted", "finished", "stopped"]
LOG_LINES = 8
_STARTED: tuple[State, ...] = ("RUNNING",)


@dataclass(frozen=True)
class RunningTrial:
    """A trial on its way: `step` of `of` (None: unknown) in `stage` (empty: nothing reported yet)."""

    number: int
    params: dict[str, Any]
    attempt: int
    stage: str
    step: int
    of: int | None
    metrics: dict[str, float]
    elapsed_s: float


@dataclass(frozen=True)
class FailedTrial:
    """A trial that failed: why, and the end of its log."""

    number: int
    params: dict[str, Any]
    error: str
    log: list[str]


@dataclass(frozen=True)
class Status:
    """A study at a moment.

    Attributes:
        phase: `running` (a driver holds it), `finished` (all trials ended), `interrupted` (its driver died while it
            ran), `stopped` (trials are left and nobody runs them).
        holder: Who runs it, since when.
        remaining_s: Estimated; None while nothing is known.
        cost: Of all attempts so far.
        outbox: Results that MLflow has not confirmed yet.
    """

    name: str
    phase: Phase
    trials: int
    counts: dict[str, int]
    holder: str | None
    since: str | None
    remaining_s: float | None
    running: list[RunningTrial] = field(default_factory=list)
    failed: list[FailedTrial] = field(default_factory=list)
    outbox: int = 0
    cost: Cost = NOTHING
    directory: str = ""
    tracking_uri: str = ""

    @property
    def ended_count(self) -> int:
        """Trials that are over."""
        return sum(self.counts.get(state, 0) for state in ENDED)

    def as_json(self) -> dict[str, Any]:
        """JSON types."""
        return asdict(self)


def status_of(place: Place, name: str) -> tuple[Status, Board]:
    """The study called `name`, with a board to draw it from.

    Raises:
        StudyNotFound: There is none.
    """
    ledger = place.open(name)
    try:
        return _read(ledger, place)
    finally:
        ledger.close()


def statuses(place: Place) -> tuple[list[Status], dict[str, UsageError]]:
    """All studies of a home; name → what is wrong with those that can't be read, which hide no other."""
    found: list[Status] = []
    unreadable: dict[str, UsageError] = {}
    for name in names(place):
        try:
            found.append(status_of(place, name)[0])
        except Damaged as error:
            unreadable[name] = error.with_doctor(place.command("doctor", name))
        except UsageError as error:
            unreadable[name] = error
    return found, unreadable


def names(place: Place) -> list[str]:
    """All studies: those whose folders lie in the home, or all of a shared ledger.

    Raises:
        UsageError: There is no such ledger, or it can't be opened.
    """
    if place.ledger is None:
        return place.studies()
    from study.ledger.connection import connect
    from study.ledger.studies import names as names_in_ledger

    try:
        engine = connect(place.ledger, create=False)
    except FileNotFoundError as error:
        raise UsageError(f"--ledger: there is no ledger at {error}; the first ockham launch with it makes it") from None
    try:
        with engine.connect() as connection:
            return names_in_ledger(connection)
    finally:
        engine.dispose()


def _read(ledger: Ledger, place: Place) -> tuple[Status, Board]:
    config = ledger.config
    counts: dict[str, int] = {str(state): number for state, number in ledger.counts().items()}
    lease, now = ledger.lease(), time.time()
    held = lease is not None and lease.held
    alive = held and (lease is None or lease.holder is None or lease.holder.fate() != "dead")
    ended, started, failed = ledger.latest(200), ledger.trials(states=_STARTED), ledger.trials(states=("FAILED",))
    began = lease.since_ms / 1000 if alive and lease else now
    board = Board(config, counts, clock=time.time)
    board.began_at = began
    for row in ended:
        board.count_duration(row.duration_s)
    board.last.extend(ended[-LAST:])
    if alive:
        _running(board, ledger, started)
    done = sum(counts.get(state, 0) for state in ENDED)
    left = done < config.trials
    status = Status(
        name=config.name,
        phase="running" if alive else "finished" if not left else "interrupted" if held or started else "stopped",
        trials=config.trials,
        counts=counts,
        holder=str(lease.holder) if alive and lease else None,
        since=datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds") if alive else None,
        remaining_s=board.remaining() if alive else None,
        running=[_trial(board, row) for row in started if row.number in board.running],
        failed=[_failed_trial(config.directory, row) for row in failed],
        outbox=ledger.outbox_size(),
        cost=cost_so_far(ledger, now_ms=round(now * 1000) if alive else None),
        directory=str(config.directory),
        tracking_uri=mask_passwords(place.tracking_uri or config.store_uri),
    )
    return status, board


def _running(board: Board, ledger: Ledger, started: list[TrialRow]) -> None:
    for row in started:
        board.start(row.number, row.proposed, began_at=(row.started_ms or row.created_ms) / 1000)
        steps = ledger.steps(row.number)
        if steps:
            board.report(row.number, steps[-1])


def _trial(board: Board, row: TrialRow) -> RunningTrial:
    trial = board.running[row.number]
    return RunningTrial(
        number=row.number,
        params=dict(trial.params),
        attempt=row.attempts,
        stage=trial.stage,
        step=trial.step,
        of=trial.last_step,
        metrics=dict(trial.metrics),
        elapsed_s=round(board.age(trial), 1),
    )


def _failed_trial(directory: Path, row: TrialRow) -> FailedTrial:
    return FailedTrial(row.number, row.proposed, row.error or "no reason was given", log_tail(directory, row))


def log_tail(directory: Path, row: TrialRow) -> list[str]:
    """The last lines of a trial's log, or of its traceback where the log is on another machine."""
    path = directory / "trials" / f"{row.number:04d}" / "log.txt"
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else row.traceback or ""
    return text.rstrip().splitlines()[-LOG_LINES:]
