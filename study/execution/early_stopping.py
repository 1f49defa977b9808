"""Schedulers: which trials are not worth training on. Ray Tune asks them after each result.

Trials are known by our numbers, since Ray's ids change from attempt to attempt, and judged by what their dense networks
report while they train, one epoch after the other: a verdict depends on what was reported, not on how much of it came
at once. What has been judged is never judged again. A scheduler is filled from the ledger before anything runs, so a
resumed study goes on with the rungs that it had. Once dense training is over a trial is never stopped.

Trials report after epochs 1 … 10 and then each time that 25 % more have passed, all at the same epochs; so a rung is
decided at most 25 % after its epoch.
"""

import pickle
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler

from study.config import StudyConfig
from study.config.goals import Stopping
from trainables.record import Record

if TYPE_CHECKING:
    from ray.tune.execution.tune_controller import TuneController
    from ray.tune.experiment import Trial

ENOUGH = 3  # trials that the median is taken of, at least
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


class ByNumber(TrialScheduler):
    """The part that all schedulers share: they see trials by number and each dense record once.

    Args:
        known: What has been reported in earlier runs, by ascending epoch for each trial.
    """

    def watch(self, stopping: Stopping, known: Iterable[Reported]) -> None:
        """Sets up the shared part and takes in what is known."""
        self._objective = stopping.metric
        self._last: dict[int, int] = {}
        self._verdicts: dict[int, Verdict] = {}
        for number, epoch, value in known:
            self._last[number] = epoch
            self._reported(number, epoch, self._objective.sign * value)

    def judge(self, number: int, records: Sequence[Record]) -> Verdict | None:
        """Takes in what trial `number` has reported; the verdict if there is one. May be asked again."""
        for record in records:
            value = record.metrics.get(self._objective.metric)
            if number in self._verdicts or record.stage != "dense":
                break
            if value is None or record.step <= self._last.get(number, 0):
                continue
            self._last[number] = record.step
            why = self._reported(number, record.step, self._objective.sign * value)
            if why and _OVER not in record.notes:
                said = f"{self._objective.metric} {value:.4g} at epoch {record.step}, {why}"
                self._verdicts[number] = Verdict(record.step, said)
        return self._verdicts.get(number)

    def _reported(self, number: int, epoch: int, value: float) -> str:
        """Takes in a value, of which more is better; says why it is too little, "" if it is not."""
        raise TypeError(f"{type(self).__name__} must judge")

    @property
    def metric(self) -> None:
        """Unset: Tune would insist on finding it in every result."""

    def on_trial_add(self, tune_controller: "TuneController", trial: "Trial") -> None:
        """Nothing: a trial counts once it reports."""

    def on_trial_result(self, tune_controller: "TuneController", trial: "Trial", result: dict[str, Any]) -> str:
        """Whether the attempt goes on."""
        records: Sequence[Record] = pickle.loads(result["reports"])  # noqa: S301 - from our own worker
        verdict = self.judge(int(trial.config["number"]), records)
        return str(TrialScheduler.STOP if verdict else TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: "TuneController", trial: "Trial", result: dict[str, Any]) -> None:
        """Nothing: what a trial reported stays."""

    def on_trial_remove(self, tune_controller: "TuneController", trial: "Trial") -> None:
        """Nothing, for the same reason."""

    def on_trial_error(self, tune_controller: "TuneController", trial: "Trial") -> None:
        """Nothing, for the same reason."""


class _Numbered(NamedTuple):
    """What Ray's rungs want of a trial."""

    trial_id: int


class Asha(ByNumber, AsyncHyperBandScheduler):
    """Asynchronous successive halving in its stopping variant (Li et al. 2020, arXiv:1810.05934).

    Rungs lie at grace · reduction^k epochs. Who reaches a rung goes on if its value is not below the best
    1/reduction of all that reached it before. One bracket: Ray would draw among several from the global generator.
    """

    def __init__(self, stopping: Stopping, longest: int, known: Iterable[Reported] = ()) -> None:
        AsyncHyperBandScheduler.__init__(
            self,
            metric=stopping.metric.metric,
            mode="max",
            max_t=longest,
            grace_period=stopping.epochs_of_grace(longest),
            reduction_factor=stopping.reduction,
            stop_last_trials=False,
        )
        self.watch(stopping, known)

    @property
    def rungs(self) -> dict[float, dict[int, float]]:
        """Epoch → trial number → value, of which more is better."""
        return {float(epoch): dict(values) for epoch, values in reversed(self._brackets[0]._rungs)}

    def _reported(self, number: int, epoch: int, value: float) -> str:
        bracket = self._brackets[0]
        reached = [(rung, values) for rung, values in bracket._rungs if epoch >= rung]
        cutoff = bracket.cutoff(reached[0][1]) if reached and number not in reached[0][1] else None
        if bracket.on_result(_Numbered(number), epoch, value) != TrialScheduler.STOP:
            return ""
        rung = reached[0][0]
        return f"the best {1 / bracket.rf:.0%} reached {abs(cutoff or 0.0):.4g} at the rung of epoch {rung:g}"


class Median(ByNumber, FIFOScheduler):
    """Median stopping (Golovin et al. 2017, "Google Vizier", section 3.2.2).

    A trial is stopped if its best value so far is below the median, over at least three other trials that got to the
    same epoch, of their mean values from the grace period to that epoch. Unlike Ray's own, nothing is ever paused.
    """

    def __init__(self, stopping: Stopping, longest: int, known: Iterable[Reported] = ()) -> None:
        FIFOScheduler.__init__(self)
        self._grace = stopping.epochs_of_grace(longest)
        self._values: dict[int, list[float]] = {}
        self._best: dict[int, float] = {}
        self.means: dict[int, dict[int, float]] = {}  # epoch → trial number → mean so far
        self.watch(stopping, known)

    def _reported(self, number: int, epoch: int, value: float) -> str:
        self._best[number] = max(value, self._best.get(number, value))
        if epoch < self._grace:
            return ""
        values = self._values.setdefault(number, [])
        values.append(value)
        there = self.means.setdefault(epoch, {})
        others = [mean for other, mean in there.items() if other != number]
        there[number] = float(np.mean(values))
        if len(others) < ENOUGH or self._best[number] >= (median := float(np.median(others))):
            return ""
        return f"the median of {len(others)} other trials is {abs(median):.4g}"


def scheduler_for(config: StudyConfig, known: Iterable[Reported]) -> Asha | Median | None:
    """The scheduler of a study, filled with what its trials have reported; None if it has none."""
    if config.scheduler == "none":
        return None
    kind = Asha if config.scheduler == "asha" else Median
    return kind(config.stopping, config.longest_training, known)
