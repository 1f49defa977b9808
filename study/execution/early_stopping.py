"""Which trials are not worth training on: the study's scheduler is shown each report.

Trials are judged by what their dense networks report while they train, one epoch after the other: a verdict depends on
what was reported, not on how much of it came at once. What has been judged is never judged again. A scheduler is filled
from the ledger before anything runs, so a resumed study goes on with the rungs that it had. Once dense training is over
a trial is never stopped.

Trials report after epochs 1 … 10 and then each time that 25 % more have passed, all at the same epochs; so a rung is
decided at most 25 % after its epoch.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from study.config import StudyConfig
from study.config.goals import Objective
from study.stopping.interfaces import NO_SCHEDULER, SCHEDULERS, Judge
from trainables.record import Record

_OVER = "train/stop_reason"  # noted where dense training ends


class StopDecision(NamedTuple):
    """A trial is given up after `epoch`; `why` in words."""

    epoch: int
    why: str


class EpochReport(NamedTuple):
    """What a trial reported after an epoch."""

    number: int
    epoch: int
    value: float


def _spare_none(_: int) -> bool:
    """Nobody is spared."""
    return False


class EarlyStopping:
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
        known: Iterable[EpochReport] = (),
        spared: Callable[[int], bool] | None = None,
    ) -> None:
        self.judge, self._objective, self._spared = judge, objective, spared or _spare_none
        self._last: dict[int, int] = {}
        self._verdicts: dict[int, StopDecision] = {}
        for number, epoch, value in known:
            if self._spared(number):
                continue
            self._last[number] = epoch
            judge.report(number, epoch, objective.sign * value)

    def verdict(self, number: int, records: Sequence[Record]) -> StopDecision | None:
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
                self._verdicts[number] = StopDecision(record.step, said)
        return self._verdicts.get(number)


def early_stopping_for(
    config: StudyConfig, known: Iterable[EpochReport], spared: Callable[[int], bool] | None = None
) -> EarlyStopping | None:
    """The early stopping of a study, filled with what its trials have reported; None if it has none.

    Args:
        spared: Of which trials it is not asked.
    """
    if config.scheduler == NO_SCHEDULER:
        return None
    stopping, longest = config.stopping, config.longest_training
    grace = stopping.epochs_of_grace(longest)
    judge = SCHEDULERS.get(config.scheduler)().judge(grace=grace, reduction=stopping.reduction, longest=longest)
    return EarlyStopping(judge, stopping.metric, known, spared)
