"""Ray Tune's view of the backlog: a searcher that has its trials from the ledger, never from a snapshot of Ray's."""

from typing import Any

from ray.tune import Stopper
from ray.tune.search import Searcher

from study.execution.backlog import Backlog
from study.stop_flag import StopFlag

FINISHED: str = Searcher.FINISHED


class LedgerSearcher(Searcher):
    """Serves the backlog.

    Ray chooses ids for its trials; a Ray trial is one *attempt* of ours, known by `number` and `attempt` in its config.
    """

    def __init__(self, backlog: Backlog, flag: StopFlag) -> None:
        super().__init__()  # metric and mode stay unset: Tune would insist on finding the metric in every result
        self._backlog: Backlog | None = backlog
        self._flag: StopFlag | None = flag
        self._live: set[str] = set()

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The config of the next attempt; None while running trials may still come back; FINISHED is final."""
        if self._backlog is None or self._flag is None:
            return FINISHED
        if self._flag.draining:
            return None if self._live else FINISHED
        assignment = self._backlog.next(wait=not self._live)
        if assignment is None:
            return FINISHED if self._backlog.exhausted and not self._live else None
        self._live.add(trial_id)
        return {name: getattr(assignment, name) for name in ("number", "attempt", "config", "cell")}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """The attempt is over; what it means is the recorder's business."""
        self._live.discard(trial_id)

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the ledger has it."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing, for the same reason."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing, for the same reason."""

    def __getstate__(self) -> dict[str, Any]:
        """Without backlog and flag: `Tuner()` pickles its searcher, and connections and locks can't be."""
        return {**self.__dict__, "_backlog": None, "_flag": None}


class StopWhenAsked(Stopper):
    """Ends the experiment when the flag is raised; trials are never stopped one by one."""

    def __init__(self, flag: StopFlag) -> None:
        self._flag: StopFlag | None = flag

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether this trial is to stop: no."""
        return False

    def stop_all(self) -> bool:
        """Whether all are."""
        return bool(self._flag)

    def __getstate__(self) -> dict[str, Any]:
        """Without the flag, which holds a lock."""
        return {"_flag": None}
