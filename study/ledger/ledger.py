"""The ledger of one study: the truth about it, in one database, written by one process at a time."""

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Self

from sqlalchemy import Connection, Engine

from study.config import StudyConfig
from study.crash_points import crash_if_asked
from study.errors import StudyNotFound
from study.ledger import connection as connections
from study.ledger import files as file_rows
from study.ledger import inputs as input_rows
from study.ledger import lease as leases
from study.ledger import life, requests, soundness, studies
from study.ledger import outbox as messages
from study.ledger import steps as step_rows
from study.ledger import trials as trial_rows
from study.ledger.binding import read, request, write
from study.ledger.files import NewFile
from study.ledger.lease import LeaseRow
from study.ledger.outage import outlasting
from study.ledger.rows import Proposal, TrialRow
from trainables.record import Record

_DURABLE = ("finish", "save")  # results, and what was asked for


class Ledger:
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
        engine = connections.connect(url, create=True)
        with (
            connections.closed_on_error(engine),
            connections.writing(engine, exclusive=True, durable=True) as connection,
        ):
            studies.create(connection, config)
            own_config, uid = studies.read(connection, config.name)
        ledger = cls(url, engine, _config_again(config, own_config), uid)
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
            engine = connections.connect(url, create=False)
        except FileNotFoundError as error:
            raise StudyNotFound(f"there is no study {name!r}: no ledger at {error}") from None
        with connections.closed_on_error(engine), engine.connect() as connection:
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
        self._use(connections.connect(self.url, create=False))

    def _use(self, engine: Engine) -> None:
        self._engine = engine
        weakref.finalize(self, engine.dispose)  # connections end with the object, not some time later

    @property
    def name(self) -> str:
        """The study's name."""
        return self.config.name

    # Transactions, for functions on a connection

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection to read with."""
        return self._engine.connect()

    @contextmanager
    def writing(self, what: str) -> Iterator[Connection]:
        """A transaction under the lease.

        Raises:
            LeaseLost: Another driver has it; nothing is written.
        """
        resume = partial(self.config.command, "resume")
        durable = what in _DURABLE
        with leases.fenced_transaction(
            self._engine, self.name, self.fence, durable=durable, resume=resume
        ) as connection:
            yield connection
            crash_if_asked(f"{what} uncommitted")
        crash_if_asked(f"{what} committed")

    def requesting(self) -> AbstractContextManager[Connection]:
        """A transaction of any process, for what needs no lease."""
        return connections.writing(self._engine)

    # The lease

    def acquire(self, *, wait_s: float = 30.0) -> int:
        """Takes the lease, then stores new run settings if there are any; returns the fence.

        `config` is read again: until now another driver may have extended the study, or taken what was added to it.

        Args:
            wait_s: How long a holder on another machine must show no heartbeat to be taken for dead.
        Raises:
            LeaseHeld: Another driver lives.
        """
        self.fence = leases.acquire(self._engine, self.name, wait_s=wait_s, stop=self.config.command("stop"))
        crash_if_asked("acquire committed")
        with self.writing("save") as connection:
            self.config, _ = studies.read(connection, self.name)
            if self._unsaved is not None:
                self.config = _config_again(self._unsaved, self.config)
                studies.save(connection, self.config)
        self._unsaved = None
        file_rows.put_back(self.config.directory, self.files)
        return self.fence

    def heartbeat(self) -> None:
        """Shows that this driver lives. Call it every few seconds, far more often than anyone's `wait_s`."""
        leases.heartbeat(self._engine, self.name, self.fence)

    def release(self) -> None:
        """Gives the lease back, so that the next driver starts at once."""
        leases.release(self._engine, self.name, self.fence)

    def lease(self) -> LeaseRow | None:
        """Who holds the lease, for displays."""
        return leases.read(self._engine, self.name)

    # Trials, written by the driver

    @outlasting
    def propose(self, proposals: Sequence[Proposal]) -> list[TrialRow]:
        """Persists QUEUED trials, with consecutive numbers from the next free one on.

        Raises:
            ValueError: A proposal is no valid trial, or was computed for another number.
        """
        with self.writing("propose") as connection:
            return life.propose(connection, self.config, self.uid, proposals)

    @outlasting
    def take_added(self) -> list[TrialRow]:
        """Makes trials of the configurations that were added; the budget grows by as many."""
        with self.writing("take added") as connection:
            waiting = requests.take_added(connection, self.name)
            proposals = [Proposal(params, role=role, added=True) for params, role in waiting]
            rows = life.propose(connection, self.config, self.uid, proposals)
            more = {"trials": self.config.trials + len(rows), "added": self.config.added + len(rows)}
            config = self.config.model_copy(update=more)
            studies.save(connection, config)
        self.config = config
        return rows

    def set_trials(self, n: int) -> None:
        """Sets the number of trials in total. What waits beyond it is kept, and runs once it grows again."""
        config = StudyConfig.model_validate(self.config.model_dump() | {"trials": n})
        with self.writing("save") as connection:
            studies.save(connection, config)
        self.config = config

    @outlasting
    def start_attempt(self, number: int) -> int:
        """QUEUED or RUNNING (its last attempt is dead) → RUNNING; returns the attempt, 1 for the first.

        Raises:
            StaleAttempt: The trial has ended.
        """
        with self.writing("start") as connection:
            return life.start(connection, self.name, number, self.fence or 0)

    @outlasting
    def add_measured(self, number: int, names: Sequence[str], found: Record, results: Sequence[NewFile]) -> None:
        """Adds what was measured of a COMPLETE trial afterwards, in one transaction, and queues it for MLflow.

        Args:
            names: Of the measures; what was known of them before goes.
            found: Metrics and notes that come beside those of its summary.
            results: Files that take the place of its earlier ones; these come back if it all comes to nothing, at the
                next `acquire` if this process is killed.
        """
        file_rows.set_aside(self.config.directory, results)
        try:
            with self.writing("remeasure") as connection:
                life.add_measured(connection, self.name, number, names, found, results=results)
        finally:
            file_rows.put_back(self.config.directory, partial(self.files, [number]))

    record = outlasting(write("record", life.record))
    finish = outlasting(write("finish", life.finish))
    requeue = outlasting(write("requeue", life.requeue))
    retry_failed = write("retry", life.retry_failed)
    delete = write("delete", studies.remove)

    # Trials, read by anyone

    trials = outlasting(read(trial_rows.rows))
    trial = outlasting(read(trial_rows.read_trial))
    numbers = outlasting(read(trial_rows.numbers))
    counts = outlasting(read(trial_rows.counts))
    next_number = outlasting(read(trial_rows.next_number))
    attempts_begun = outlasting(read(trial_rows.attempts_begun))
    files = outlasting(read(file_rows.read))
    latest = read(trial_rows.latest)
    states = read(trial_rows.states)
    trials_begun = read(trial_rows.trials_begun)
    attempt_times = read(trial_rows.attempt_times)
    steps = read(step_rows.of_trial)
    curves = read(step_rows.of_trials)
    dense_values = read(step_rows.dense_values)
    progress = read(step_rows.progress)
    inputs = read(input_rows.read)
    damaged_trials = read(soundness.damaged_trials)
    count_unsealed = read(soundness.count_unsealed)

    # What any process may ask for

    request_stop = request(requests.request_stop)
    stop_requested = read(requests.stop_requested)
    add = request(requests.add)
    added_waiting = outlasting(read(requests.added_waiting))
    waiting = read(requests.waiting)
    record_inputs = request(input_rows.record)

    # What MLflow has to be told, and has been told

    outbox = read(messages.read)
    outbox_numbers = read(messages.numbers)
    outbox_end = read(messages.end)
    outbox_size = read(messages.size)
    mlflow_runs = read(messages.mlflow_runs)
    refused_values = read(messages.refused_values)
    set_mlflow_run = write("run id", messages.set_mlflow_run)
    forget_delivered = write("delivered", messages.forget_delivered)
    tell_again = write("tell again", messages.tell_again)
    mend_outbox = write("tell again", messages.mend)
    set_aside = write("aside", messages.set_aside)


def _config_again(asked: StudyConfig, stored: StudyConfig) -> StudyConfig:
    """A study launched again: run settings as asked for, and at least the trials that it has."""
    return asked.drawn_as(stored).model_copy(update={"trials": max(asked.trials, stored.trials), "added": stored.added})
