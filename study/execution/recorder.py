"""Ray Tune's callback: what happens to attempts goes into the ledger, and from there to whoever listens."""

import pickle
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    NodeDiedError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)
from ray.tune import Callback

from study.config import StudyConfig
from study.events import Listener
from study.execution.backlog import Backlog
from study.execution.devices import Devices
from study.execution.early_stopping import ByNumber, Verdict
from study.execution.nodes import node_is_gone
from study.execution.patient_calls import asked
from study.execution.results import result_files
from study.ledger import Ledger, StaleAttempt, State
from study.ledger.files import NewFile
from study.passwords import masked
from trainables.errors import DeviceFailed
from trainables.record import Record

if TYPE_CHECKING:
    from ray.tune.experiment import Trial

WORKER_DEATHS = 3
_DEATHS = (ActorDiedError, ActorUnavailableError, NodeDiedError, OutOfMemoryError, WorkerCrashedError)


class Recorder(Callback):
    """Records attempts.

    Args:
        ledger: With the lease held.
        works: Whether there still is a Ray; without one its workers die too, for no fault of their trials.
        scheduler: That stops trials, if any.

    Attributes:
        failure: What this callback itself died of; Ray only passes on its text.
    """

    def __init__(
        self,
        ledger: Ledger,
        backlog: Backlog,
        listener: Listener,
        config: StudyConfig,
        *,
        works: Callable[[], bool],
        scheduler: ByNumber | None,
    ) -> None:
        self._works, self._scheduler = works, scheduler
        self._ledger, self._backlog, self._listener, self._config = ledger, backlog, listener, config
        self._devices = Devices(ledger)
        self._nodes: dict[str, str] = {}
        self._open: set[int] = set()
        self.failure: Exception | None = None

    def on_trial_start(self, iteration: int, trials: "list[Trial]", trial: "Trial", **info: Any) -> None:
        """The worker is there and about to begin."""
        with self._noting():
            self._start(trial)

    def on_trial_result(
        self, iteration: int, trials: "list[Trial]", trial: "Trial", result: dict[str, Any], **info: Any
    ) -> None:
        """A step came back; with its last one the trial ends."""
        with self._noting():
            number, attempt = _which(trial)
            self._nodes[trial.trial_id] = str(result.pop("node", ""))
            # Taken out of Ray's result, which Ray keeps for every trial.
            records: Sequence[Record] = pickle.loads(result.pop("reports"))  # noqa: S301 - from our own worker
            if verdict := self._scheduler and self._scheduler.verdict(number, records):
                self._end(number, attempt, _until(records, verdict), "PRUNED")
            elif state := result.pop("ended", None):
                why = {name: result.pop(name, None) for name in ("error", "traceback")}
                self._end(number, attempt, records, state, **why)
            elif records:
                with self._results(number, records) as results:
                    self._ledger.record(number, attempt, records, results=results)
                self._tell(number, records)

    def on_trial_complete(self, iteration: int, trials: "list[Trial]", trial: "Trial", **info: Any) -> None:
        """Ray is done with the attempt; how it ended came with its last result."""
        self._nodes.pop(trial.trial_id, None)

    def on_trial_error(self, iteration: int, trials: "list[Trial]", trial: "Trial", **info: Any) -> None:
        """The attempt raised where it must not, or its worker died."""
        with self._noting():
            error = _error(trial)
            node = self._nodes.pop(trial.trial_id, "")
            number, attempt = _which(trial)
            if number not in self._open:
                self._start(trial)
            works = self._works()
            if works and (failure := _device_failure(error)):
                self._worker_died(number, attempt, error, charged=True, why=f"its GPU failed ({failure})")
            elif works and not _worker_is_gone(error):
                reason, text = _reason(error)
                self._end(number, attempt, (), "FAILED", error=reason, traceback=text)
            else:
                blameless = not works or getattr(error, "preempted", False) or self._node_is_gone(error, node)
                self._worker_died(number, attempt, error, charged=not blameless)

    def _node_is_gone(self, error: Exception | None, node: str) -> bool:
        """True, too, where Ray itself goes while it is asked."""
        return asked(partial(node_is_gone, error, node), lambda: not self._works(), True)

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing: the ledger has it."""

    def __getstate__(self) -> dict[str, Any]:
        """Empty: `Tuner()` pickles its callbacks, and a database connection can't be."""
        return {}

    def _start(self, trial: "Trial") -> None:
        number, attempt = _which(trial)
        begun = self._ledger.start_attempt(number)
        if begun != attempt:
            raise StaleAttempt(f"trial {number}: attempt {attempt} was planned, but {begun} was next")
        self._open.add(number)
        self._backlog.started(number, attempt)
        self._listener.trial_started(number, self._backlog.proposed(number))

    def _end(
        self,
        number: int,
        attempt: int,
        records: Sequence[Record],
        state: State,
        **why: str | None,
    ) -> None:
        with self._results(number, records) as results:
            said = {name: text and masked(text) for name, text in why.items()}
            ended = self._ledger.finish(number, attempt, state, records=records, results=results, **said)
        self._open.discard(number)
        self._tell(number, records)
        row = ended or self._ledger.trial(number)
        warnings = [self._backlog.ended(row), self._devices.ended(row)]
        if not self._config.run.keep_checkpoints:
            shutil.rmtree(self._trial_directory(number) / "checkpoints", ignore_errors=True)
        self._listener.trial_ended(row)
        for warning in filter(None, warnings):
            self._listener.message(warning)

    def _results(self, number: int, records: Sequence[Record]) -> AbstractContextManager[list[NewFile]]:
        """The files that come with the summary, which need not be the trial's last step."""
        return result_files(self._config.directory, number, records, self._ledger.tired)

    def _worker_died(self, number: int, attempt: int, error: Exception | None, *, charged: bool, why: str = "") -> None:
        deaths = self._ledger.trial(number).charged + charged
        if charged and deaths >= WORKER_DEATHS:
            last = f"at last {why}" if why else "out of memory, or a crash in native code"
            reason = f"worker died {deaths} times ({last}); see log.txt"
            self._end(number, attempt, (), "FAILED", error=reason, traceback=str(error))
            return
        self._open.discard(number)
        self._ledger.requeue(number, charged=charged)
        self._backlog.again(number)
        died = why or "worker died"
        why = f"{died}, attempt {deaths} of {WORKER_DEATHS}" if charged else "its node is gone"
        self._listener.message(f"trial {number:04d}: {why}; it runs again, {self._from_where(number)}")

    def _from_where(self, number: int) -> str:
        run = self._config.run
        if run.storage is None and run.address is not None:  # each machine of a cluster has its own
            return "from its last checkpoint if it comes to the same machine, else from its beginning"
        if run.storage is None and not (self._trial_directory(number) / "checkpoints").is_dir():
            return "from its beginning"
        return "from its last checkpoint"

    def _tell(self, number: int, records: Sequence[Record]) -> None:
        for record in records:
            self._listener.step(number, record)

    def _trial_directory(self, number: int) -> Path:
        return self._config.directory / "trials" / f"{number:04d}"

    def _noting(self) -> "_Noting":
        return _Noting(self)


class _Noting:
    """Keeps the exception that leaves a callback, since Tune raises another one with its text."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception) and self._recorder.failure is None:
            self._recorder.failure = error


def _until(records: Sequence[Record], verdict: Verdict) -> list[Record]:
    """What was reported up to the epoch of the verdict, which is noted there; how much more came is chance."""
    *before, last = (record for record in records if record.stage == "dense" and record.step <= verdict.epoch)
    notes = {"pruned/epoch": str(verdict.epoch), "pruned/reason": verdict.why}
    return [*before, replace(last, notes={**last.notes, **notes})]


def _which(trial: "Trial") -> tuple[int, int]:
    return int(trial.config["number"]), int(trial.config["attempt"])


def _error(trial: "Trial") -> Exception | None:
    """What the attempt died of (see `lean_tune`); the searcher hears of the death as well, but not of its cause."""
    error = getattr(trial, "died_of", None)
    if isinstance(error, Exception):
        return error
    return _error_in_words(Path(trial.error_file)) if trial.num_failures and trial.error_file else None


def _error_in_words(file: Path) -> Exception:
    """What Ray wrote of a death, where it is not kept in this process; the error itself lies pickled beside it, and
    nothing of a file is run here."""
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    last = text.splitlines()[-1] if text else "the worker died"
    return RayError(last) if any(death.__name__ in text for death in _DEATHS) else RuntimeError(last)


def _reason(error: Exception | None) -> tuple[str, str | None]:
    if isinstance(error, RayTaskError):
        cause = error.cause
        return f"{type(cause).__name__}: {cause}" if cause is not None else "exception in the worker", str(error)
    return (str(error).splitlines()[0] if error else "unknown error in the worker"), str(error) if error else None


def _device_failure(error: Exception | None) -> str | None:
    """What a GPU said when it failed; None: none did."""
    cause = error.cause if isinstance(error, RayTaskError) else None
    return str(cause).splitlines()[0] if isinstance(cause, DeviceFailed) else None


def _worker_is_gone(error: Exception | None) -> bool:
    """Whether it is Ray's own trouble, of whichever of its many kinds, and no exception of the trial's."""
    if isinstance(error, RayActorError):
        return not error.actor_init_failed
    return isinstance(error, RayError) and not isinstance(error, RayTaskError)
