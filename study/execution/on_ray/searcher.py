"""Ray Tune's view of what is to run: a searcher that asks the driver, never a snapshot of Ray's."""

from dataclasses import asdict
from typing import Any

from ray.tune import Stopper
from ray.tune.search import Searcher

from study.execution.executor import Attempts

FINISHED: str = Searcher.FINISHED


class AttemptSearcher(Searcher):
    """Serves attempts.

    Ray chooses ids for its trials; a Ray trial is one *attempt* of ours, known by `number` and `attempt` in its config.
    """

    def __init__(self, attempts: Attempts) -> None:
        super().__init__()  # metric and mode stay unset: Tune would insist on finding the metric in every result
        self._attempts: Attempts | None = attempts
        self._live: set[str] = set()

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The config of the next attempt; None while running trials may still come back; FINISHED is final."""
        if self._attempts is None:
            return FINISHED
        idle = not self._live
        assignment = self._attempts.next(idle=idle)
        if assignment is None:
            return FINISHED if idle and self._attempts.over() else None
        self._live.add(trial_id)
        return asdict(assignment)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """The attempt is over; what it means is the driver's business."""
        self._live.discard(trial_id)

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the ledger has it."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing, for the same reason."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing, for the same reason."""

    def __getstate__(self) -> dict[str, Any]:
        """Without the attempts: `Tuner()` pickles its searcher, and connections and locks can't be."""
        return {**self.__dict__, "_attempts": None}


class StopWhenAsked(Stopper):
    """Ends the experiment when the driver is stopping; trials are never stopped one by one."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts: Attempts | None = attempts

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether this trial is to stop: no."""
        return False

    def stop_all(self) -> bool:
        """Whether all are."""
        return self._attempts is not None and self._attempts.stopping()

    def __getstate__(self) -> dict[str, Any]:
        """Without the attempts, which hold locks."""
        return {"_attempts": None}
