"""Asynchronous successive halving in its stopping variant (Li et al. 2020, arXiv:1810.05934)."""

import numpy as np

from study.stopping.interfaces import Judge, Scheduler


class Rungs(Judge):
    """Rungs lie at grace · reduction^k epochs, up to the longest training.

    Who reaches a rung goes on if its value is not below the best 1/reduction of all that reached it before. One
    bracket, as in Ray Tune's `AsyncHyperBandScheduler` with `stop_last_trials=False`, whose decisions these are.

    Attributes:
        values: Epoch of each rung → trial number → value.
    """

    def __init__(self, grace: int, reduction: float, longest: int) -> None:
        self._reduction = reduction
        count = int(np.log(longest / grace) / np.log(reduction) + 1)
        self.values: dict[float, dict[int, float]] = {float(grace * reduction**k): {} for k in range(count)}

    def report(self, number: int, epoch: int, value: float) -> str:
        """Compares at the highest rung that the trial has newly reached."""
        reached = max((rung for rung in self.values if epoch >= rung), default=None)
        if reached is None or number in self.values[reached]:
            return ""
        others = list(self.values[reached].values())
        self.values[reached][number] = value
        if not others or value >= (cutoff := float(np.percentile(others, (1 - 1 / self._reduction) * 100))):
            return ""
        return f"the best {1 / self._reduction:.0%} reached {abs(cutoff):.4g} at the rung of epoch {reached:g}"


class Asha(Scheduler):
    """Stops who is not among the best at each rung of epochs."""

    def judge(self, *, grace: int, reduction: float, longest: int) -> Rungs:
        """With empty rungs."""
        return Rungs(grace, reduction, longest)


ENTRY = Asha
