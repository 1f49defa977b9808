"""How Ray Tune hears which trials are not worth training on: it asks after each result.

Trials are known by our numbers, since Ray's ids change from attempt to attempt, and judged by what their dense networks
report while they train, one epoch after the other: a verdict depends on what was reported, not on how much of it came
at once. What has been judged is never judged again. A scheduler is filled from the ledger before anything runs, so a
resumed study goes on with the rungs that it had. Once dense training is over a trial is never stopped.

Trials report after epochs 1 … 10 and then each time that 25 % more have passed, all at the same epochs; so a rung is
decided at most 25 % after its epoch.
"""

import pickle
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from study.config import StudyConfig
from study.config.goals import Objective
from study.stopping.interfaces import NO_SCHEDULER, SCHEDULERS, Judge
from trainables.record import Record

if TYPE_CHECKING:
    from ray.tune.execution.tune_controller import TuneController
    from ray.tune.experiment import Trial

_OVER = "train/stop_reason"  # noted where dense training ends


class Verdict(NamedTuple):
    """A trial is given up after `epoch`; `why` in words."""

    epoch: int
    why: str


class Reported(NamedTuple):
    """What a trial reported after an epoch."""

    number: int
    epoch: int
    value: float


def _nobody(_: int) -> bool:
    """Nobody is spared."""
    return False


class ByNumber(FIFOScheduler):
    """Shows a scheduler's judge the trials by number, and each dense record once.

    Args:
        judge: Who decides.
        objective: What is judged.
        known: What has been reported in earlier runs, by ascending epoch for each trial.
        spared: Whether a trial is none of its business: what is run again to be counted runs to its end.

    Attributes:
        judge: As given.
    """

    def __init__(
        self,
        judge: Judge,
        objective: Objective,
        known: Iterable[Reported] = (),
        spared: Callable[[int], bool] | None = None,
    ) -> None:
        super().__init__()
        self.judge, self._objective, self._spared = judge, objective, spared or _nobody
        self._last: dict[int, int] = {}
        self._verdicts: dict[int, Verdict] = {}
        for number, epoch, value in known:
            if self._spared(number):
                continue
            self._last[number] = epoch
            judge.report(number, epoch, objective.sign * value)

    def __getstate__(self) -> dict[str, Any]:
        """For Tune, which pickles its schedulers: without the ledger that knows who is spared."""
        return {**self.__dict__, "_spared": _nobody}

    def verdict(self, number: int, records: Sequence[Record]) -> Verdict | None:
        """Takes in what trial `number` has reported; the verdict if there is one. May be asked again."""
        if self._spared(number):
            return None
        for record in records:
            value = record.metrics.get(self._objective.metric)
            if number in self._verdicts or record.stage != "dense":
                break
            if value is None or record.step <= self._last.get(number, 0):
                continue
            self._last[number] = record.step
            why = self.judge.report(number, record.step, self._objective.sign * value)
            if why and _OVER not in record.notes:
                said = f"{self._objective.metric} {value:.4g} at epoch {record.step}, {why}"
                self._verdicts[number] = Verdict(record.step, said)
        return self._verdicts.get(number)

    @property
    def metric(self) -> None:
        """Unset: Tune would insist on finding it in every result."""

    def on_trial_add(self, tune_controller: "TuneController", trial: "Trial") -> None:
        """Nothing: a trial counts once it reports."""

    def on_trial_result(self, tune_controller: "TuneController", trial: "Trial", result: dict[str, Any]) -> str:
        """Whether the attempt goes on."""
        records: Sequence[Record] = pickle.loads(result["reports"])  # noqa: S301 - from our own worker
        verdict = self.verdict(int(trial.config["number"]), records)
        return str(TrialScheduler.STOP if verdict else TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: "TuneController", trial: "Trial", result: dict[str, Any]) -> None:
        """Nothing: what a trial reported stays."""

    def on_trial_remove(self, tune_controller: "TuneController", trial: "Trial") -> None:
        """Nothing, for the same reason."""

    def on_trial_error(self, tune_controller: "TuneController", trial: "Trial") -> None:
        """Nothing, for the same reason."""


def scheduler_for(
    config: StudyConfig, known: Iterable[Reported], spared: Callable[[int], bool] | None = None
) -> ByNumber | None:
    """The scheduler of a study, filled with what its trials have reported; None if it has none.

    Args:
        spared: Of which trials it is not asked.
    """
    if config.scheduler == NO_SCHEDULER:
        return None
    stopping, longest = config.stopping, config.longest_training
    grace = stopping.epochs_of_grace(longest)
    judge = SCHEDULERS.get(config.scheduler)().judge(grace=grace, reduction=stopping.reduction, longest=longest)
    return ByNumber(judge, stopping.metric, known, spared)
