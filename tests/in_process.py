"""A second set of doors for the driver: trials run in this process, one step after the other, on a clock of their own.

Everything else is the real thing: ledger, files, settings, proposals. What dies, and when, is written down beforehand.

`python -m tests.in_process ARGUMENTS` is `ockham ARGUMENTS` without Ray.
"""

import heapq
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from study.cli import main
from study.clock import Repetition
from study.config import RunConfig, StudyConfig
from study.execution import driver
from study.execution.asking import ProposerInPlace
from study.execution.attempt import begin
from study.execution.doors import REAL, Doors
from study.execution.executor import Assignment, Attempts, Cause, Death, Job, Report
from study.stop_flag import StopFlag
from trainables.record import Record

STEP_S = 1.0  # on the simulated clock, from one boundary of a trial to the next


class Timetable:
    """A clock on which time passes only while somebody sleeps; what is repeated happens in the sleeper's thread."""

    def __init__(self) -> None:
        self._now, self._order = 1000.0, itertools.count()
        self._due: list[tuple[float, int, _Entry]] = []

    def monotonic(self) -> float:
        """See `Clock`."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            self._now, _, entry = heapq.heappop(self._due)
            if not entry.over and (pause_s := entry.call()) is not None:
                self._plan(entry, pause_s)
        self._now = max(self._now, end)

    def repeat(self, name: str, call: Callable[[], float | None], first_s: float) -> Repetition:
        """See `Clock`."""
        entry = _Entry(call)
        self._plan(entry, first_s)
        return entry

    def _plan(self, entry: "_Entry", pause_s: float) -> None:
        heapq.heappush(self._due, (self._now + pause_s, next(self._order), entry))


class _Entry:
    def __init__(self, call: Callable[[], float | None]) -> None:
        self.call, self.over = call, False

    def stop(self, wait_s: float | None = None) -> None:
        self.over = True


class InProcess:
    """An executor that steps through its trials in turn.

    Args:
        deaths: (trial, attempt) → what it dies of when it has reported once.
        dies_at: Step after which nothing works any more.
    """

    name = "the process"

    def __init__(
        self, clock: Timetable, slots: int, deaths: Mapping[tuple[int, int], Cause], dies_at: int | None
    ) -> None:
        self.slots, self._clock, self._deaths, self._dies_at = slots, clock, dict(deaths), dies_at
        self._steps = 0

    def lives(self) -> bool:
        """See `Executor`."""
        return self._dies_at is None or self._steps < self._dies_at

    def run(self, job: Job, attempts: Attempts) -> None:
        """See `Executor`."""
        running: dict[Assignment, Iterator[Record | None]] = {}
        while not attempts.stopping():
            while len(running) < self.slots and (new := attempts.next(idle=not running)) is not None:
                running[new] = begin(job, new)
                attempts.on_start(new)
            if not running and attempts.over():
                return
            for one, trial in list(running.items()):
                self._steps += 1
                self._clock.sleep(STEP_S)
                if attempts.stopping():
                    break
                if not self._step(one, trial, attempts):
                    del running[one]

    def _step(self, one: Assignment, trial: Iterator[Record | None], attempts: Attempts) -> bool:
        """Whether the attempt goes on."""
        try:
            record = next(trial)
        except StopIteration:
            return attempts.on_report(one, Report((), "COMPLETE"))
        except Exception as error:
            return attempts.on_report(one, Report((), "FAILED", f"{type(error).__name__}: {error}", "a traceback"))
        goes_on = attempts.on_report(one, Report(() if record is None else (record,)))
        if cause := self._deaths.pop((one.number, one.attempt), None):
            attempts.on_death(one, Death(cause, "it was written"))
            return False
        return goes_on


@dataclass
class Listing:
    """A tracker that takes nothing out of the outbox; says what it is told to."""

    drains: bool = True
    status: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    closed: bool = False

    def finish(
        self,
        status: str,
        summary: Mapping[str, Any],
        artifacts: Path | None,
        *,
        left: Callable[[], int],
        flag: StopFlag,
    ) -> bool:
        """See `Tracker`."""
        self.status, self.summary = status, dict(summary)
        return self.drains

    def close(self) -> None:
        """See `Tracker`."""
        self.closed = True


def in_process(
    deaths: Mapping[tuple[int, int], Cause] | None = None,
    *,
    slots: int = 2,
    dies_at: int | None = None,
    tracker: Listing | None = None,
) -> Doors:
    """Doors behind which nothing but this process lies; see `InProcess` and `Listing`."""
    clock = Timetable()

    @contextmanager
    def opened(_run: RunConfig, _wanted: Callable[[], bool]) -> Iterator[InProcess]:
        yield InProcess(clock, slots, deaths or {}, dies_at)

    def track(_config: StudyConfig, _fence: int, _say: Callable[[str], None]) -> Listing:
        return tracker or Listing()

    return Doors(executor=opened, tracker=track, clock=clock, source=ProposerInPlace)


def in_process_and_told(slots: int = 2) -> Doors:
    """As `in_process`, but MLflow and Optuna's tables are told, by the usual process of its own."""
    return replace(in_process(slots=slots), tracker=REAL.tracker)


@contextmanager
def no_ray() -> Iterator[None]:
    """Studies that commands and `study.resume` run in the block run in this process, and are told of.

    For the runs before or after the one that a test is about: Ray costs ten seconds of processor time a start.
    """
    assert driver.run.__kwdefaults__ is not None
    with patch.dict(driver.run.__kwdefaults__, doors=in_process_and_told()):
        yield


if __name__ == "__main__":
    with no_ray():
        sys.exit(main())
