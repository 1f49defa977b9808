"""The ledger of one study: the truth about it, in one database, written by one process at a time."""

import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

from sqlalchemy import Connection, Engine

from study.config import StudyConfig
from study.crash_points import reached
from study.errors import StudyNotFound
from study.ledger import files, lease, steps, studies, trials
from study.ledger.connection import closed_on_error, connect, writing
from study.ledger.control import Control
from study.ledger.curves import Curves
from study.ledger.files import NewFile
from study.ledger.lease import LeaseRow
from study.ledger.outage import outlasting
from study.ledger.rows import Proposal, State, TrialRow, now_ms
from study.ledger.soundness import Soundness
from study.ledger.tracking import Tracking
from trainables.record import Record

_DURABLE = ("finish", "save")  # results, and what was asked for


class Ledger(Control, Curves, Soundness, Tracking):
    """Reads are open to everyone; writes need the lease (`acquire`) and raise LeaseLost once another has taken it.

    What a running study needs outlasts a restart of PostgreSQL. Safe to use from several threads; pickles and copies to
    other processes without its connections.

    Attributes:
        url: The database.
        config: Identity as frozen, budget and run as last stored (or as given to `create`, until the lease is taken).
        uid: Tells this study from a deleted one of the same name.
        fence: Number of the lease that this object writes under, None if it has none.
        tired: Whether to wait no longer for a database that is away, or for room on a disk.
    """

    def __init__(self, url: str, engine: Engine, config: StudyConfig, uid: str) -> None:
        self.url, self.config, self.uid = url, config, uid
        self.fence: int | None = None
        self.tired: Callable[[], bool] = bool  # False
        self._use(engine)
        self._unsaved: StudyConfig | None = None

    @classmethod
    def create(cls, url: str, config: StudyConfig) -> Self:
        """The study of `config`, made if its name is free; if it exists, `acquire` stores the new run settings.

        A study never shrinks by being launched again: the larger number of trials counts (`set_trials` sets any).

        Raises:
            StudyMismatch: Another identity has that name; says which fields differ.
            UsageError: The database is unusable.
        """
        engine = connect(url, create=True)
        with closed_on_error(engine), writing(engine, exclusive=True, durable=True) as connection:
            studies.create(connection, config)
            stored, uid = studies.read(connection, config.name)
        ledger = cls(url, engine, _again(config, stored), uid)
        ledger._unsaved = config
        return ledger

    @classmethod
    def open(cls, url: str, name: str) -> Self:
        """An existing study.

        Raises:
            StudyNotFound: There is none of that name.
            UsageError: The database is unusable.
        """
        try:
            engine = connect(url, create=False)
        except FileNotFoundError as error:
            raise StudyNotFound(f"there is no study {name!r}: no ledger at {error}") from None
        with closed_on_error(engine), engine.connect() as connection:
            config, uid = studies.read(connection, name)
        return cls(url, engine, config, uid)

    def with_fence(self, fence: int) -> Self:
        """This object, writing under a lease that another process holds (the publisher under the driver's)."""
        self.fence = fence
        return self

    def close(self) -> None:
        """Closes the connections; the next call opens new ones."""
        self._engine.dispose()

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_engine", "tired")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, tired=bool)
        self._use(connect(self.url, create=False))

    def _use(self, engine: Engine) -> None:
        self._engine = engine
        weakref.finalize(self, engine.dispose)  # connections end with the object, not some time later

    @property
    def name(self) -> str:
        """Of the study."""
        return self.config.name

    def acquire(self, *, wait_s: float = 30.0) -> int:
        """Takes the lease, then stores new run settings if there are any; returns the fence.

        `config` is read again: until now another driver may have extended the study, or taken what was added to it.

        Args:
            wait_s: How long a holder on another machine must show no heartbeat to be taken for dead.
        Raises:
            LeaseHeld: Another driver lives.
        """
        self.fence = lease.acquire(self._engine, self.name, wait_s=wait_s, stop=self.config.command("stop"))
        reached("acquire committed")
        with self._writing("save") as connection:
            self.config, _ = studies.read(connection, self.name)
            if self._unsaved is not None:
                self.config = _again(self._unsaved, self.config)
                studies.save(connection, self.config)
        self._unsaved = None
        files.put_back(self.config.directory, self.files)
        return self.fence

    def heartbeat(self) -> None:
        """Shows that this driver lives. Call it every few seconds, far more often than anyone's `wait_s`."""
        lease.heartbeat(self._engine, self.name, self.fence)

    def release(self) -> None:
        """Gives the lease back, so that the next driver starts at once."""
        lease.release(self._engine, self.name, self.fence)

    def lease(self) -> LeaseRow | None:
        """Who holds the lease, for displays."""
        return lease.read(self._engine, self.name)

    def delete(self) -> None:
        """Removes the study from Ockham's tables (Optuna's and MLflow's copies are not touched).

        Its fence grows on, so that no process that still holds the study can write to a later one of the same name.
        """
        with self._writing("delete") as connection:
            studies.remove(connection, self.name)

    # Trials

    @outlasting
    def propose(self, proposals: Sequence[Proposal]) -> list[int]:
        """Persists QUEUED trials and returns their numbers, consecutive from the next free one on.

        Raises:
            ValueError: A proposal is no valid trial, or was computed for another number.
        """
        with self._writing("propose") as connection:
            return trials.propose(connection, self.config, self.uid, proposals, now_ms())

    @outlasting
    def start_attempt(self, number: int) -> int:
        """QUEUED or RUNNING (its last attempt is dead) → RUNNING; returns the attempt, 1 for the first.

        Raises:
            StaleAttempt: The trial has ended.
        """
        with self._writing("start") as connection:
            return trials.start(connection, self.name, number, self.fence or 0, now_ms())

    @outlasting
    def record(self, number: int, attempt: int, records: Sequence[Record], *, results: Sequence[NewFile] = ()) -> None:
        """Stores steps and queues them for tracking, in one transaction; repeats leave no trace.

        Args:
            records: Their `networks` are not stored here.
            results: Files that get their names in the transaction: a driver that lost its lease must not give them.
        Raises:
            StaleAttempt: `attempt` is not the trial's running one.
        """
        with self._writing("record") as connection:
            trials.require_running(connection, self.name, number, attempt)
            for new in results:
                files.put(connection, self.name, new)
            steps.record(connection, self.name, number, attempt, records, now_ms=now_ms())

    @outlasting
    def finish(
        self,
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
        """
        reason = {"error": error, "traceback": traceback}
        with self._writing("finish") as connection:
            ended = trials.finish(
                connection, self.name, number, attempt, state, records=records, now_ms=now_ms(), **reason
            )
            for new in results if ended is not None else ():
                files.put(connection, self.name, new)
            return ended

    @outlasting
    def requeue(self, number: int, *, charged: bool) -> None:
        """RUNNING → QUEUED, to be run again from its last checkpoint; does nothing to a trial that is not running.

        Args:
            charged: Whether the lost attempt counts as a worker death of the trial (`TrialRow.charged`).
        """
        with self._writing("requeue") as connection:
            trials.requeue(connection, self.name, number, charged=charged)

    @outlasting
    def trials(
        self, numbers: Collection[int] | None = None, *, states: Collection[str] | None = None
    ) -> list[TrialRow]:
        """Trials by number; all, or those among `numbers` and in one of `states`."""
        with self._engine.connect() as connection:
            return trials.rows(connection, self.name, wanted=numbers, states=states)

    def trial(self, number: int) -> TrialRow:
        """One trial.

        Raises:
            ValueError: It does not exist.
        """
        found = self.trials([number])
        if not found:
            raise ValueError(f"study {self.name!r} has no trial {number}")
        return found[0]

    def latest(self, limit: int) -> list[TrialRow]:
        """The trials that ended last, at most so many, in the order of their ends."""
        with self._engine.connect() as connection:
            numbers = trials.latest(connection, self.name, limit)
            found = {row.number: row for row in trials.rows(connection, self.name, wanted=numbers)}
        return [found[number] for number in numbers]

    @outlasting
    def numbers(self, *states: str) -> list[int]:
        """Numbers of the trials in one of `states`, ascending; cheap."""
        with self._engine.connect() as connection:
            return trials.numbers(connection, self.name, states)

    @outlasting
    def counts(self) -> dict[str, int]:
        """Trials by state; every state is there. Cheap."""
        with self._engine.connect() as connection:
            return trials.counts(connection, self.name)

    def attempt_times(self) -> list[tuple[int, int | None]]:
        """(start, end) of every attempt in milliseconds; the end is None while it runs."""
        with self._engine.connect() as connection:
            return trials.attempt_times(connection, self.name)

    @outlasting
    def attempts_begun(self) -> int:
        """Executions begun of all trials together; cheap."""
        with self._engine.connect() as connection:
            return trials.attempts_begun(connection, self.name)

    def states(self, start: int = 0) -> dict[int, State]:
        """Number → state of the trials from `start` on, ascending; cheap."""
        with self._engine.connect() as connection:
            return trials.states(connection, self.name, start)

    @outlasting
    def next_number(self) -> int:
        """The number of the next trial to propose = trials proposed so far. Cheap."""
        with self._engine.connect() as connection:
            return trials.proposed_count(connection, self.name)

    @contextmanager
    def _writing(self, what: str) -> Iterator[Connection]:
        with lease.fenced(
            self._engine, self.name, self.fence, durable=what in _DURABLE, resume=self.config.command("resume")
        ) as connection:
            yield connection
            reached(f"{what} uncommitted")
        reached(f"{what} committed")


def _again(asked: StudyConfig, stored: StudyConfig) -> StudyConfig:
    """A study launched again: run settings as asked for, and at least the trials that it has."""
    return asked.drawn_as(stored).model_copy(update={"trials": max(asked.trials, stored.trials), "added": stored.added})
