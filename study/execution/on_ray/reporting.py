"""How the driver hears from Ray Tune: what attempts report, and what those died of that report nothing more."""

import pickle
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.exceptions import (
    RayActorError,
    RayError,
    RayTaskError,
)
from ray.tune import Callback
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from study.execution.executor import Assignment, Attempts, Death, Report
from study.execution.on_ray.nodes import node_is_gone
from study.execution.on_ray.patient_calls import call_patiently
from trainables.errors import DeviceFailed

if TYPE_CHECKING:
    from ray.tune.execution.tune_controller import TuneController
    from ray.tune.experiment import Trial


class Reporting(Callback):
    """Tune's callback.

    Args:
        attempts: The driver's side.
        works: Whether there still is a Ray; without one its workers die too, for no fault of their trials.

    Attributes:
        failure: What the driver raised when it was told; Ray only passes on its text.
    """

    def __init__(self, attempts: Attempts, works: Callable[[], bool]) -> None:
        self._attempts, self._works = attempts, works
        self._nodes: dict[str, str] = {}
        self._told: set[str] = set()  # those whose last result has been taken in before it comes here
        self.failure: Exception | None = None

    def take(self, trial: "Trial", result: dict[str, Any]) -> bool:
        """Tells the driver what a worker's step returned; whether the attempt goes on."""
        with self._keeping_failure():
            report: Report = pickle.loads(result["report"])  # noqa: S301 - from our own worker
            return self._attempts.on_report(_assignment(trial), report)

    def take_early(self, trial: "Trial", result: dict[str, Any]) -> bool:
        """The same for a result that will come to `on_trial_result` as well."""
        self._told.add(trial.trial_id)
        return self.take(trial, result)

    def on_trial_start(self, iteration: int, trials: "list[Trial]", trial: "Trial", **info: Any) -> None:
        """The worker is there and about to begin."""
        with self._keeping_failure():
            self._attempts.on_start(_assignment(trial))

    def on_trial_result(
        self, iteration: int, trials: "list[Trial]", trial: "Trial", result: dict[str, Any], **info: Any
    ) -> None:
        """A step came back; with its last one the trial ends."""
        self._nodes[trial.trial_id] = str(result.pop("node", ""))
        if trial.trial_id in self._told:
            self._told.discard(trial.trial_id)
        else:
            self.take(trial, result)
        result.pop("report", None)  # Ray keeps the last result of every trial

    def on_trial_complete(self, iteration: int, trials: "list[Trial]", trial: "Trial", **info: Any) -> None:
        """Ray is done with the attempt; how it ended came with its last result."""
        self._nodes.pop(trial.trial_id, None)

    def on_trial_error(self, iteration: int, trials: "list[Trial]", trial: "Trial", **info: Any) -> None:
        """The attempt raised where it must not, or its worker died."""
        with self._keeping_failure():
            death = self._death(_error(trial), self._nodes.pop(trial.trial_id, ""))
            self._attempts.on_death(_assignment(trial), death)

    def _death(self, error: Exception | None, node: str) -> Death:
        works = self._works()
        if works and (failure := _device_failure(error)):
            return Death("device", failure, str(error))
        if works and not _worker_is_gone(error):
            return Death("trial", *_reason(error))
        blameless = not works or getattr(error, "preempted", False) or self._node_is_gone(error, node)
        return Death("machine" if blameless else "worker", _reason(error)[0], str(error))

    def _node_is_gone(self, error: Exception | None, node: str) -> bool:
        """True, too, where Ray itself goes while it is asked."""
        return call_patiently(partial(node_is_gone, error, node), lambda: not self._works(), True)

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing: the ledger has it."""

    def __getstate__(self) -> dict[str, Any]:
        """Empty: `Tuner()` pickles its callbacks, and a database connection can't be."""
        return {}

    def _keeping_failure(self) -> "_KeepingFailure":
        return _KeepingFailure(self)


class _KeepingFailure:
    """Keeps the exception that leaves a callback, since Tune raises another one with its text."""

    def __init__(self, reporting: Reporting) -> None:
        self._reporting = reporting

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception) and self._reporting.failure is None:
            self._reporting.failure = error


class Deciding(FIFOScheduler):
    """Tune's scheduler: whether an attempt goes on, which Tune asks before it tells its callbacks.

    It is not asked about the last result of an attempt.
    """

    def __init__(self, reporting: Reporting) -> None:
        super().__init__()
        self._reporting: Reporting | None = reporting

    @property
    def metric(self) -> None:
        """Unset: Tune would insist on finding it in every result."""

    def on_trial_add(self, tune_controller: "TuneController", trial: "Trial") -> None:
        """Nothing: a trial counts once it reports."""

    def on_trial_result(self, tune_controller: "TuneController", trial: "Trial", result: dict[str, Any]) -> str:
        """Whether the attempt goes on."""
        goes_on = self._reporting is None or self._reporting.take_early(trial, result)
        return str(TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP)

    def on_trial_complete(self, tune_controller: "TuneController", trial: "Trial", result: dict[str, Any]) -> None:
        """Nothing: what a trial reported stays."""

    def on_trial_remove(self, tune_controller: "TuneController", trial: "Trial") -> None:
        """Nothing, for the same reason."""

    def on_trial_error(self, tune_controller: "TuneController", trial: "Trial") -> None:
        """Nothing, for the same reason."""

    def __getstate__(self) -> dict[str, Any]:
        """Without the driver's side, which holds a database connection: `Tuner()` pickles its scheduler."""
        return {**self.__dict__, "_reporting": None}


def _assignment(trial: "Trial") -> Assignment:
    config = trial.config
    return Assignment(int(config["number"]), int(config["attempt"]), config["config"], config["cell"])


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
    # An exception comes with its traceback; of a death, Ray has none, and does not name its own error either.
    raised = "Traceback (most recent call last)" in text and DeviceFailed.__name__ not in text
    return RuntimeError(last) if raised else RayError(last)


def _reason(error: Exception | None) -> tuple[str, str | None]:
    if isinstance(error, RayTaskError):
        cause = error.cause
        return f"{type(cause).__name__}: {cause}" if cause is not None else "exception in the worker", str(error)
    lines = str(error).splitlines() if error else []
    return (lines[0] if lines else "unknown error in the worker"), str(error) if error else None


def _device_failure(error: Exception | None) -> str | None:
    """What a GPU said when it failed; None: none did."""
    cause = error.cause if isinstance(error, RayTaskError) else None
    return str(cause).splitlines()[0] if isinstance(cause, DeviceFailed) else None


def _worker_is_gone(error: Exception | None) -> bool:
    """Whether it is Ray's own trouble, of whichever of its many kinds, and no exception of the trial's."""
    if isinstance(error, RayActorError):
        return not error.actor_init_failed
    return isinstance(error, RayError) and not isinstance(error, RayTaskError)
