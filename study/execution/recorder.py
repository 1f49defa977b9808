"""The driver's side of an executor: what happens to attempts goes into the ledger, and to whoever listens."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from study.config import StudyConfig
from study.events import Listener
from study.execution.backlog import Backlog
from study.execution.devices import Devices
from study.execution.early_stopping import EarlyStopping, StopDecision
from study.execution.executor import Assignment, Death, Report
from study.execution.files import Files
from study.ledger import Ledger, StaleAttempt, State
from study.ledger.files import NewFile
from study.passwords import mask_passwords
from study.stop_flag import StopFlag
from trainables.record import Record

WORKER_DEATHS = 3


class Recorder:
    """Records attempts; see `study.execution.executor.Attempts`.

    Args:
        ledger: With the lease held.
        backlog: Of what is to run.
        flag: Raised when the study has to stop.
        files: Of the study.
        stopping: Which trials are not worth training on, if any are to be judged.
    """

    def __init__(
        self,
        ledger: Ledger,
        backlog: Backlog,
        listener: Listener,
        config: StudyConfig,
        *,
        flag: StopFlag,
        files: Files,
        stopping: EarlyStopping | None,
    ) -> None:
        self._ledger, self._backlog, self._listener, self._config = ledger, backlog, listener, config
        self._flag, self._files, self._stopping = flag, files, stopping
        self._devices = Devices(ledger)
        self._open: set[int] = set()

    def next(self, *, idle: bool) -> Assignment | None:
        """See `Attempts`."""
        return None if self._flag.draining else self._backlog.next(wait=idle)

    def over(self) -> bool:
        """See `Attempts`."""
        return self._flag.draining or self._backlog.is_exhausted

    def stopping(self) -> bool:
        """See `Attempts`."""
        return bool(self._flag)

    def on_start(self, assignment: Assignment) -> None:
        """See `Attempts`."""
        number, attempt = assignment.number, assignment.attempt
        next_attempt = self._ledger.start_attempt(number)
        if next_attempt != attempt:
            raise StaleAttempt(f"trial {number}: attempt {attempt} was planned, but {next_attempt} was next")
        self._open.add(number)
        self._backlog.on_start(number, attempt)
        self._listener.on_trial_start(number, self._backlog.spanned_params(number))

    def on_report(self, assignment: Assignment, report: Report) -> bool:
        """See `Attempts`."""
        number, attempt, records = assignment.number, assignment.attempt, report.records
        if verdict := self._stopping and self._stopping.verdict(number, records):
            self._end(number, attempt, _until(records, verdict), "PRUNED")
            return False
        if report.end_state:
            self._end(number, attempt, records, report.end_state, error=report.error, traceback=report.traceback)
            return False
        if records:
            with self._results(number, records) as results:
                self._ledger.record(number, attempt, records, results=results)
            self._tell(number, records)
        return True

    def on_death(self, assignment: Assignment, death: Death) -> None:
        """See `Attempts`."""
        number, attempt = assignment.number, assignment.attempt
        if number not in self._open:
            self.on_start(assignment)
        if death.cause == "trial":
            self._end(number, attempt, (), "FAILED", error=death.reason, traceback=death.traceback)
        else:
            self._worker_died(number, attempt, death)

    def _end(
        self,
        number: int,
        attempt: int,
        records: Sequence[Record],
        state: State,
        *,
        error: str | None = None,
        traceback: str | None = None,
    ) -> None:
        error, traceback = (text and mask_passwords(text) for text in (error, traceback))
        with self._results(number, records) as results:
            new_row = self._ledger.finish(
                number, attempt, state, records=records, error=error, traceback=traceback, results=results
            )
        self._open.discard(number)
        self._tell(number, records)
        row = new_row or self._ledger.trial(number)
        warnings = [self._backlog.on_end(row), self._devices.on_end(row)]
        if not self._config.run.keep_checkpoints:
            self._files.drop_checkpoints([number])
        self._listener.on_trial_end(row)
        for warning in filter(None, warnings):
            self._listener.on_message(warning)

    def _results(self, number: int, records: Sequence[Record]) -> AbstractContextManager[list[NewFile]]:
        """The files that come with the summary, which need not be the trial's last step."""
        return self._files.results(number, records, self._ledger.tired)

    def _worker_died(self, number: int, attempt: int, death: Death) -> None:
        is_charged = death.cause != "machine"
        why = f"its GPU failed ({death.reason})" if death.cause == "device" else ""
        deaths = self._ledger.trial(number).charged + is_charged
        if is_charged and deaths >= WORKER_DEATHS:
            last = f"at last {why}" if why else "out of memory, or a crash in native code"
            reason = f"worker died {deaths} times ({last}); see log.txt"
            self._end(number, attempt, (), "FAILED", error=reason, traceback=death.traceback)
            return
        self._open.discard(number)
        self._ledger.requeue(number, charged=is_charged)
        self._backlog.again(number)
        trouble = f"{why or 'worker died'}, attempt {deaths} of {WORKER_DEATHS}" if is_charged else "its node is gone"
        self._listener.on_message(f"trial {number:04d}: {trouble}; it runs again, {self._from_where(number)}")

    def _from_where(self, number: int) -> str:
        run = self._config.run
        if run.storage is None and run.address is not None:  # each machine of a cluster has its own
            return "from its last checkpoint if it comes to the same machine, else from its beginning"
        if run.storage is None and number not in self._files.with_checkpoints():
            return "from its beginning"
        return "from its last checkpoint"

    def _tell(self, number: int, records: Sequence[Record]) -> None:
        for record in records:
            self._listener.on_step(number, record)


def _until(records: Sequence[Record], verdict: StopDecision) -> list[Record]:
    """What was reported up to the epoch of the verdict, which is noted there; how much more came is chance."""
    *before, last = (record for record in records if record.stage == "dense" and record.step <= verdict.epoch)
    notes = {"pruned/epoch": str(verdict.epoch), "pruned/reason": verdict.why}
    return [*before, replace(last, notes={**last.notes, **notes})]
