"""Median stopping (Golovin et al. 2017, "Google Vizier", section 3.2.2)."""

import numpy as np

from study.stopping.interfaces import Judge, Scheduler

ENOUGH = 3  # trials that the median is taken of, at least


class RunningMeans(Judge):
    """A trial is stopped if its best value so far is below the median, over at least three other trials that got to the
    same epoch, of their mean values from the grace period to that epoch. Unlike Ray's own, nothing is ever paused.

    Attributes:
        means: Epoch → trial number → mean so far.
    """

    def __init__(self, grace: int) -> None:
        self._grace = grace
        self._values: dict[int, list[float]] = {}
        self._best: dict[int, float] = {}
        self.means: dict[int, dict[int, float]] = {}

    def report(self, number: int, epoch: int, value: float) -> str:
        """Compares once the grace period is over."""
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


class Median(Scheduler):
    """Stops whose best value is below the median of the others' means."""

    def judge(self, *, grace: int, reduction: float, longest: int) -> RunningMeans:
        """Without values yet."""
        return RunningMeans(grace)


ENTRY = Median
