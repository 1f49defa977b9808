"""The door to where trials run: what the driver asks of an executor, and what an executor tells the driver.

An executor takes attempts from the driver as it has room for them, and reports what becomes of each: it began, it has
something to report (to which the driver says whether it goes on), it died, and of what. `study.execution.on_ray` is
one on Ray Tune.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from study.config import RunConfig
    from trainables.config import TrialConfig
    from trainables.record import Record
    from trainables.trial import TrialContext

TrialFunction: TypeAlias = "Callable[[TrialConfig, TrialContext], Iterator[Record | None]]"
Cause = Literal["trial", "worker", "device", "machine"]


@dataclass(frozen=True)
class Job:
    """What all attempts of a run have in common.

    Attributes:
        trial: What a trial does, as `module:name`.
        directory: Of the study, on this machine.
        checkpoints: A path or URI, and the folder of all trials below it.
        fence: Of the driver's lease.
        dense_cache: Bytes that kept dense networks may take; 0: none are kept.
        data_dir: Where data sets lie.
        inputs: Name of each file that trials read → its fingerprint.
        cpus, gpus: Of one trial; a share of a GPU, or one.
    """

    trial: str
    directory: str
    checkpoints: tuple[str, str]
    fence: int
    dense_cache: int
    data_dir: str
    inputs: dict[str, str]
    cpus: float
    gpus: float

    def to_json(self) -> str:
        """As text, for another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """What `to_json` made."""
        fields = json.loads(text)
        place, below = fields.pop("checkpoints")
        return cls(**fields, checkpoints=(place, below))


@dataclass(frozen=True)
class Assignment:
    """A trial to start: its number, the attempt this will be, its configuration as JSON, its dense cell."""

    number: int
    attempt: int
    config: str
    cell: str | None


@dataclass(frozen=True)
class Report:
    """What an attempt reports.

    Attributes:
        records: Those since the last report.
        end_state: How it ended, with its last report.
        error, traceback: Of what it raised, if that is how it ended.
    """

    records: "Sequence[Record]"
    end_state: Literal["COMPLETE", "FAILED"] | None = None
    error: str | None = None
    traceback: str | None = None


@dataclass(frozen=True)
class Death:
    """How an attempt ended that did not report its end.

    Attributes:
        cause: `trial`: an exception outside of what reports it. `worker`: its process died. `device`: its GPU failed.
            `machine`: its machine, or all of them, went, which is not held against the trial.
        reason: One line.
        traceback: All that is known.
    """

    cause: Cause
    reason: str
    traceback: str | None = None


class Attempts(Protocol):
    """The driver's side. All calls come from the thread that called `Executor.run`; what they raise ends the run."""

    def next(self, *, idle: bool) -> Assignment | None:
        """The next attempt to start; None if there is none now.

        Args:
            idle: Whether nothing runs; then this may take its time.
        """

    def over(self) -> bool:
        """Whether nothing more is to start, unless an attempt that runs is lost."""

    def stopping(self) -> bool:
        """Whether all that runs is to stop, at its next boundary."""

    def on_start(self, assignment: Assignment) -> None:
        """Its worker is there and about to begin."""

    def on_report(self, assignment: Assignment, report: Report) -> bool:
        """Takes in a report; whether the attempt goes on."""

    def on_death(self, assignment: Assignment, death: Death) -> None:
        """It will report nothing more; perhaps it had not even started."""


class Executor(Protocol):
    """Something that runs attempts.

    Attributes:
        name: For people, e.g. "Ray".
        slots: Attempts at once.
    """

    name: str
    slots: int

    def lives(self) -> bool:
        """Whether anything can still run. From any thread."""

    def run(self, job: Job, attempts: Attempts) -> None:
        """Runs attempts until `attempts.over()` and none runs, or `attempts.stopping()`; blocks."""


OpenExecutor: TypeAlias = "Callable[[RunConfig, Callable[[], bool]], AbstractContextManager[Executor]]"
"""Opens an executor for the duration of a block, for a run; the second says whether it is still wanted.

Raises:
    UsageError: It can't be had as asked, or not one trial fits.
    ExecutorDidNotStart: It does not come up.
"""
