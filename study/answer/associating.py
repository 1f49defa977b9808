"""Evidence about the slope of one value's ranks on another's, among units of the same stratum.

Ranks are centred within strata and scaled to variance 1 there, so that the slope is the rank correlation pooled over
strata. Sources: Lindon et al. 2022, arXiv:2210.08589 (the slope's e-value, g = 1); Freedman & Lane 1983 (permutation).
"""

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit
from scipy.stats import rankdata

from study.answer.evidence import FEWEST, Array
from trainables.statistics import residuals

_PRIOR = 1.0
_LEAST_EACH = 4
_MOST_PERMUTATIONS, _FEWEST_PERMUTATIONS, _NUMBERS = 9_999, 999, 10_000_000
_AT_ONCE = 2_000_000
_MOST_PAIRED = 2_000
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Slope:
    """Sums of two centred quantities, of which everything about the slope is made.

    Attributes:
        n, strata: Units, and strata that have more than one.
        xx, xy, yy: Sums of products.
    """

    n: int
    strata: int
    xx: float
    xy: float
    yy: float

    @property
    def estimate(self) -> float:
        """The slope; NaN where the first does not vary."""
        return self.xy / self.xx if self.xx > 0 else math.nan

    @property
    def counts(self) -> bool:
        """Whether its e-value does: from 8 units on and 4 a stratum on average, and only where the first varies.

        Few ranks agree by chance: five strata of two all agree in one of 32 studies, and the formula makes e = 121 of
        that. With four a stratum false alarms stay below half of α, for α from .025 to .0025 and 1 to 12 strata.
        """
        return self.n >= max(FEWEST, _LEAST_EACH * self.strata) and self.xx > 0

    def log_evidence(self, null: float) -> float:
        """log e against "the slope is at most `null`"; −∞ while it does not count.

        e = √(g/(g + Sxx)) · (1 − Sxy²/((Sxx + g)Syy))^(−(n − strata)/2) where the slope lies above, else the first
        factor, with y less null · x.
        """
        if not self.counts or self.yy <= 0:
            return -math.inf
        start = 0.5 * math.log(_PRIOR / (_PRIOR + self.xx))
        ahead = self.xy - null * self.xx
        left = self.yy - 2 * null * self.xy + null**2 * self.xx
        if ahead <= 0 or left <= 0:
            return start
        return start - 0.5 * (self.n - self.strata) * math.log1p(-(ahead**2) / ((self.xx + _PRIOR) * left))

    def sequence(self, log_threshold: float) -> tuple[float, float]:
        """The slopes that are not rejected; unbounded while units are too few."""
        freedom = self.n - self.strata
        if not self.counts or freedom <= 0:
            return -math.inf, math.inf
        share = 1 - math.exp((2 / freedom) * (-log_threshold + 0.5 * math.log(_PRIOR / (_PRIOR + self.xx))))
        free = self.xx**2 - share * (self.xx + _PRIOR) * self.xx
        if free <= 0:
            return -math.inf, math.inf
        half = math.sqrt(max(0.0, share * (self.xx + _PRIOR) * self.residual / free))
        return self.estimate - half, self.estimate + half

    def t_interval(self, alpha: float) -> tuple[float, float]:
        """Student's interval of the slope, wrong with probability α on each side, with n − strata − 1 df."""
        freedom = self.n - self.strata - 1
        if freedom < 1 or self.xx <= 0:
            return -math.inf, math.inf
        half = float(stdtrit(freedom, 1 - alpha)) * math.sqrt(self.residual / freedom / self.xx)
        return self.estimate - half, self.estimate + half

    def t_p(self, null: float) -> float:
        """One-sided p of Student's t against "the slope is at most `null`"."""
        freedom = self.n - self.strata - 1
        if freedom < 1 or self.xx <= 0:
            return 1.0
        error, ahead = math.sqrt(self.residual / freedom / self.xx), self.estimate - null
        if error == 0:
            return 0.0 if ahead > 0 else 1.0
        return float(stdtr(freedom, -ahead / error))

    @property
    def residual(self) -> float:
        """What the slope leaves of y."""
        return max(0.0, self.yy - self.xy**2 / self.xx) if self.xx > 0 else self.yy


def slope(x: Array, y: Array) -> Slope:
    """Of values that are centred within strata already, one stratum."""
    return Slope(len(x), 1, float(x @ x), float(x @ y), float(y @ y))


def ranked(values: Array, strata: Sequence[Hashable]) -> tuple[Array, int]:
    """Ranks centred within strata, variance 1 in each; 0 where a stratum has one unit or one value. How many count."""
    result, counted = np.zeros(len(values)), 0
    for rows in groups(strata):
        ranks = rankdata(values[rows])
        centred = ranks - ranks.mean()
        spread = math.sqrt(float(np.mean(centred**2)))
        if spread > 0:
            result[rows] = centred / spread
        counted += len(rows) > 1
    return result, counted


def centred(values: Array, strata: Sequence[Hashable]) -> tuple[Array, int]:
    """Values less their stratum's mean, and how many strata have more than one unit."""
    result, counted = np.zeros(len(values)), 0
    for rows in groups(strata):
        result[rows] = values[rows] - values[rows].mean()
        counted += len(rows) > 1
    return result, counted


def groups(strata: Sequence[Hashable]) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The places of each stratum."""
    places: dict[Hashable, list[int]] = {}
    for place, stratum in enumerate(strata):
        places.setdefault(stratum, []).append(place)
    return [np.array(found, dtype=np.int64) for found in places.values()]


def associated(x: Array, y: Array, strata: Sequence[Hashable], *, ranks: tuple[bool, bool] = (True, True)) -> Slope:
    """The slope of y on x within strata; units alone in their stratum say nothing and are left out.

    Args:
        ranks: Whether to rank x, and y; what is not ranked is centred only.
    """
    alone = {rows[0] for rows in groups(strata) if len(rows) == 1}
    kept = np.array([place not in alone for place in range(len(x))], dtype=bool)
    mine = [stratum for stratum, there in zip(strata, kept, strict=True) if there]
    first, counted = (ranked if ranks[0] else centred)(x[kept], mine)
    second, _ = (ranked if ranks[1] else centred)(y[kept], mine)
    return Slope(int(kept.sum()), counted, float(first @ first), float(first @ second), float(second @ second))


def permutation_p(x: Array, y: Array, strata: Sequence[Hashable], *, seed: int = 0) -> float:
    """One-sided p of "no association" against a positive one: y's ranks are permuted within strata.

    9,999 times, less often (999 at least) where there are more than 1,000 units.
    """
    first, second = ranked(x, strata)[0][None], ranked(y, strata)[0]
    found, hits, count = float(first[0] @ second), 0, 0
    for sums in _permuted_sums(first, second, strata, seed):
        hits, count = hits + int(np.count_nonzero(sums >= found - _ROUNDING)), count + len(sums)
    return (1 + hits) / (1 + count)


def two_sided_ps(
    xs: Array, y: Array, strata: Sequence[Hashable], *, trend: Array | None = None, seed: int = 0
) -> Array:
    """Two-sided permutation p of "no association" of y with each of several quantities: [quantities].

    Args:
        xs: [quantities, n], ranked and centred within strata.
        y: [n], likewise; its values are permuted within strata, the same way for all.
        trend: [n, k] what both sides were made residuals of; permuted ones are again (Freedman & Lane).
    """
    found, hits, count = np.abs(xs @ y), np.zeros(len(xs), dtype=np.int64), 0
    for sums in _permuted_sums(xs, y, strata, seed, trend):
        hits, count = hits + np.count_nonzero(np.abs(sums) >= found - _ROUNDING, axis=0), count + len(sums)
    ps: Array = (1 + hits) / (1 + count)
    return ps


def _permuted_sums(
    xs: Array, y: Array, strata: Sequence[Hashable], seed: int, trend: Array | None = None
) -> Iterator[Array]:
    """Sums of products [permutations, quantities], some at a time."""
    cells, random = groups(strata), np.random.default_rng(seed)
    count = int(np.clip(_NUMBERS // max(1, len(y)), _FEWEST_PERMUTATIONS, _MOST_PERMUTATIONS))
    rows = max(1, _AT_ONCE // max(1, len(y)))
    for start in range(0, count, rows):
        permuted = np.tile(y, (min(rows, count - start), 1))
        for cell in cells:
            permuted[:, cell] = random.permuted(permuted[:, cell], axis=1)
        yield residuals(permuted, trend) @ xs.T


def tau_b(x: Array, y: Array, strata: Sequence[Hashable]) -> float | None:
    """Kendall's τ-b over the pairs that share a stratum; None where all are tied in one of the two, or too many.

    Strata of more than 2,000 units would need too many pairs to describe what the slope has said.
    """
    concordant = untied_x = untied_y = 0.0
    for rows in groups(strata):
        if len(rows) > _MOST_PAIRED:
            return None
        i, j = np.triu_indices(len(rows), k=1)
        first, second = np.sign(x[rows[i]] - x[rows[j]]), np.sign(y[rows[i]] - y[rows[j]])
        concordant += float(first @ second)
        untied_x += float(np.count_nonzero(first))
        untied_y += float(np.count_nonzero(second))
    return concordant / math.sqrt(untied_x * untied_y) if untied_x and untied_y else None
