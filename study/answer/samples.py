"""What is tested of a claim: a mean over units, a difference of two, or a slope; all answer the same questions."""

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from study.answer.associating import Codes, Slope, codes_of, permutation_ps, slope_within_strata, tau_b
from study.answer.evidence import (
    Array,
    Scale,
    log_anytime_t,
    log_bets,
    log_evidence,
    mirror_scale,
    sequence,
    t_interval,
    t_p,
    welch,
)
from study.answer.strata import pairs_within
from trainables.statistics import KendallResult, kendall_within_strata, without_trend

Interval = tuple[float, float]
_LOOKS, _GROWTH = 64, 1.1


class Sample(ABC):
    """Units of a claim, in the order in which their trials are laid out.

    Attributes:
        at: [n], ascending: the trial with which each unit was there.
    """

    at: list[int]

    @property
    def n(self) -> int:
        """Units."""
        return len(self.at)

    @property
    @abstractmethod
    def estimates(self) -> Array:
        """[n] what is estimated after each unit."""

    @property
    def estimate(self) -> float:
        """What is estimated; NaN without units."""
        return float(self.estimates[-1]) if self.n else math.nan

    @property
    @abstractmethod
    def spread(self) -> float:
        """Standard deviation over units; of what a slope leaves."""

    @abstractmethod
    def path(self, null: float, *, up: bool) -> Array:
        """[n] log e against "it is at most `null`" (at least, unless `up`), after each unit."""

    @abstractmethod
    def p(self, null: float, *, up: bool) -> float:
        """One-sided p at a planned number of units."""

    @abstractmethod
    def t_interval(self, alpha: float) -> Interval:
        """Wrong with probability α on each side, at a planned number of units."""

    @abstractmethod
    def sequence(self, log_threshold: float) -> Interval:
        """What is not rejected at any time."""

    def alone(self, log_threshold: float) -> dict[str, Interval]:
        """The sequences of each e-value by itself, where several are averaged."""
        return {}

    def growth(self, null: float, *, up: bool) -> float:
        """log e that a unit adds, on average; 0 or less where evidence points the other way."""
        if self.n < 2:
            return 0.0
        return float(self.path(null, up=up)[-1] + 0.5 * math.log(self.n + 1)) / self.n


@dataclass(frozen=True)
class MeanSample(Sample):
    """One number a unit."""

    values: Array
    at: list[int]
    scale: Scale

    @property
    def estimates(self) -> Array:
        """See `Sample`."""
        means: Array = np.cumsum(self.values) / np.arange(1, self.n + 1)
        return means

    @property
    def spread(self) -> float:
        """See `Sample`."""
        return float(np.std(self.values, ddof=1)) if self.n > 1 else 0.0

    def path(self, null: float, *, up: bool) -> Array:
        """See `Sample`."""
        if up:
            return log_evidence(self.values, null, self.scale)
        return log_evidence(-self.values, -null, mirror_scale(self.scale))

    def p(self, null: float, *, up: bool) -> float:
        """See `Sample`."""
        return t_p(self.values if up else -self.values, null if up else -null, self.scale.resolution)

    def t_interval(self, alpha: float) -> Interval:
        """See `Sample`."""
        return t_interval(self.values, alpha, self.scale.resolution)

    def sequence(self, log_threshold: float) -> Interval:
        """See `Sample`."""
        return sequence(self.values, log_threshold, self.scale)

    def alone(self, log_threshold: float) -> dict[str, Interval]:
        """See `Sample`."""
        sequences = {"betting": sequence(self.values, log_threshold, self.scale, only="betting")}
        if not self.scale.is_share:
            sequences["anytime_t"] = sequence(self.values, log_threshold, self.scale, only="t")
        return sequences

    def growth(self, null: float, *, up: bool) -> float:
        """See `Sample`; by the anytime t before it counts."""
        if self.n < 2:
            return 0.0
        sign = 1 if up else -1
        if self.scale.is_share:
            scale = self.scale if up else mirror_scale(self.scale)
            return float(log_bets(sign * self.values, sign * null, scale.bounds)[-1]) / self.n
        return float(log_anytime_t(sign * self.values, sign * null)[-1] + 0.5 * math.log(self.n + 1)) / self.n


@dataclass(frozen=True)
class UnpairedSample(MeanSample):
    """Two settings on networks of their own; at any time units are paired in their order, by t all of them count."""

    first: Array = field(default_factory=lambda: np.zeros(0))
    second: Array = field(default_factory=lambda: np.zeros(0))

    def p(self, null: float, *, up: bool) -> float:
        """See `Sample`."""
        one, other = (self.first, self.second) if up else (self.second, self.first)
        return welch(one, other, null if up else -null, 0.025, self.scale.resolution)[0]

    def t_interval(self, alpha: float) -> Interval:
        """See `Sample`."""
        return welch(self.first, self.second, 0.0, alpha, self.scale.resolution)[1:]


@dataclass(frozen=True)
class SlopeSample(Sample):
    """Two numbers a unit, compared within strata.

    Attributes:
        ranks: Whether x, and y, are ranked.
        conditions: A continuous condition that drives both, taken out of them before they are ranked; None: none does.
    """

    x: Array
    y: Array
    strata: Sequence[Hashable]
    at: list[int]
    ranks: tuple[bool, bool] = (True, True)
    conditions: Array | None = None

    @cached_property
    def looks(self) -> dict[int, Slope]:
        """The slope after so many units: after each of the first 64, then ever more seldom, and after the last."""
        counts, count = [], 2.0
        while count < self.n:
            counts.append(int(count))
            count = count + 1 if count < _LOOKS else count * _GROWTH
        if self.n > 1:
            counts.append(self.n)
        return {count: self._first(count) for count in counts}

    @cached_property
    def kendall(self) -> KendallResult | None:
        """Kendall's τ of two quantities that are ranked; with the condition taken out where there is one."""
        if self.ranks != (True, True) or self.n < 2:
            return None
        if self.conditions is not None:
            return kendall_within_strata(self.x.tolist(), self.y.tolist(), self.strata, self.conditions.tolist())
        tau = tau_b(self.x, self.y, self.strata)
        return KendallResult(tau, pairs_within(self.strata), None, self.total.strata)

    def _first(self, count: int) -> Slope:
        """The slope of the first units; what the condition explains of them costs degrees of freedom as strata do."""
        x, y, strata = self.x[:count], self.y[:count], self.strata[:count]
        if self.conditions is None:
            return slope_within_strata(x, y, self._codes[:count], ranks=self.ranks)
        x, y, lost_strata = without_trend(x.tolist(), y.tolist(), strata, self.conditions[:count].tolist())
        slope = slope_within_strata(x, y, strata, ranks=self.ranks)
        return replace(slope, strata=max(lost_strata, slope.strata))

    @property
    def total(self) -> Slope:
        """The slope over all units."""
        return self.looks.get(self.n) or Slope(self.n, 0, 0.0, 0.0, 0.0)

    @property
    def spread(self) -> float:
        """See `Sample`."""
        return math.sqrt(self.total.residual / max(1, self.total.n - self.total.strata - 1))

    @property
    def estimates(self) -> Array:
        """See `Sample`."""
        return self._fill({count: slope.estimate for count, slope in self.looks.items()}, math.nan)

    def path(self, null: float, *, up: bool) -> Array:
        """See `Sample`."""
        paths = {
            count: _towards(slope, up=up).log_evidence(null if up else -null) for count, slope in self.looks.items()
        }
        return self._fill(paths, -math.inf)

    def p(self, null: float, *, up: bool) -> float:
        """See `Sample`; by permutation against none at all."""
        if self.conditions is not None and null == 0 and self.kendall is not None and self.kendall.p is not None:
            ahead = (self.kendall.tau or 0.0) > 0
            return self.kendall.p / 2 if ahead == up else 1 - self.kendall.p / 2
        if null == 0 and self.ranks == (True, True) and self.total.xx > 0 and self.total.yy > 0:
            return self._permutation_ps[0 if up else 1]
        return _towards(self.total, up=up).t_p(null if up else -null)

    @cached_property
    def _permutation_ps(self) -> tuple[float, float]:
        return permutation_ps(self.x, self.y, self._codes)

    @cached_property
    def _codes(self) -> Codes:
        return codes_of(self.strata)

    def t_interval(self, alpha: float) -> Interval:
        """See `Sample`."""
        return self._possible(*self.total.t_interval(alpha))

    def sequence(self, log_threshold: float) -> Interval:
        """See `Sample`."""
        ends = [slope.sequence(log_threshold) for slope in self.looks.values()] or [(-math.inf, math.inf)]
        return self._possible(max(low for low, _ in ends), min(high for _, high in ends))

    def _possible(self, low: float, high: float) -> Interval:
        """Between two sets of ranks of variance 1 the slope is a correlation."""
        if self.ranks != (True, True) or not (math.isfinite(low) and math.isfinite(high)):
            return low, high
        return max(low, -1.0), min(high, 1.0)

    def _fill(self, found: dict[int, float], before: float) -> Array:
        path = np.full(self.n, before)
        for count, value in found.items():
            path[count - 1 :] = value
        return path


def _towards(slope: Slope, *, up: bool) -> Slope:
    return slope if up else Slope(slope.n, slope.strata, slope.xx, -slope.xy, slope.yy)
