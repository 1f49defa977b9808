"""Evidence about the slope of one value's ranks on another's, among units of the same stratum.

Ranks are centred within strata and scaled to variance 1 there, so that the slope is the rank correlation pooled over
strata. Sources: Lindon et al. 2022, arXiv:2210.08589 (the slope's e-value, g = 1); Freedman & Lane 1983 (permutation).
"""

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from study.answer.evidence import FEWEST, Array
from trainables.statistics import residuals

Codes = npt.NDArray[np.int64]
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
        rest = self.yy - 2 * null * self.xy + null**2 * self.xx
        if ahead <= 0 or rest <= 0:
            return start
        return start - 0.5 * (self.n - self.strata) * math.log1p(-(ahead**2) / ((self.xx + _PRIOR) * rest))

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
    """The slope of y on x where both are centred already, in one stratum."""
    return Slope(len(x), 1, float(x @ x), float(x @ y), float(y @ y))


def rank_within_strata(values: Array, strata: Sequence[Hashable] | Codes) -> tuple[Array, int]:
    """Ranks centred within strata, variance 1 in each; 0 where a stratum has one unit or one value. How many count."""
    result, codes = np.zeros(len(values)), codes_of(strata)
    if not len(values):
        return result, 0
    order = np.lexsort((values, codes))
    inside, in_order = codes[order], values[order]
    new_cell = np.r_[True, inside[1:] != inside[:-1]]
    ties = np.cumsum(new_cell | np.r_[True, in_order[1:] != in_order[:-1]]) - 1  # ties share their mean rank
    place = np.arange(len(values), dtype=np.float64)
    ranks = (np.bincount(ties, place) / np.bincount(ties))[ties]
    cell = np.cumsum(new_cell) - 1
    sizes = np.bincount(cell)
    ranks -= (np.bincount(cell, place) / sizes)[cell]
    spread = np.sqrt(np.bincount(cell, ranks**2) / sizes)[cell]
    result[order] = np.divide(ranks, spread, out=np.zeros_like(ranks), where=spread > 0)
    return result, int(np.count_nonzero(sizes > 1))


def centre_within_strata(values: Array, strata: Sequence[Hashable] | Codes) -> tuple[Array, int]:
    """Values less their stratum's mean, and how many strata have more than one unit."""
    codes = codes_of(strata)
    sizes = np.bincount(codes)
    means = np.bincount(codes, values) / np.maximum(sizes, 1)
    return values - means[codes], int(np.count_nonzero(sizes > 1))


def codes_of(strata: Sequence[Hashable] | Codes) -> Codes:
    """Each stratum as a number from 0 on, in the order in which they come; such numbers are returned as they are."""
    if isinstance(strata, np.ndarray) and strata.dtype == np.int64:
        return strata
    codes: dict[Hashable, int] = {}
    return np.array([codes.setdefault(stratum, len(codes)) for stratum in strata], dtype=np.int64)


def groups(strata: Sequence[Hashable] | Codes) -> list[Codes]:
    """The places of each stratum."""
    codes = codes_of(strata)
    order = np.argsort(codes, kind="stable")
    cells = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    return [cell for cell in cells if len(cell)]


def slope_within_strata(
    x: Array, y: Array, strata: Sequence[Hashable] | Codes, *, ranks: tuple[bool, bool] = (True, True)
) -> Slope:
    """The slope of y on x within strata; units alone in their stratum say nothing and are left out.

    Args:
        ranks: Whether to rank x, and y; what is not ranked is centred only.
    """
    codes = codes_of(strata)
    usable = np.bincount(codes)[codes] > 1
    own_codes = codes[usable]
    first, cells = (rank_within_strata if ranks[0] else centre_within_strata)(x[usable], own_codes)
    second, _ = (rank_within_strata if ranks[1] else centre_within_strata)(y[usable], own_codes)
    return Slope(int(usable.sum()), cells, float(first @ first), float(first @ second), float(second @ second))


def permutation_ps(x: Array, y: Array, strata: Sequence[Hashable] | Codes, *, seed: int = 0) -> tuple[float, float]:
    """One-sided p of "no association" against a positive one, and against a negative one.

    y's ranks are permuted within strata: 9,999 times, less often (999 at least) where there are more than 1,000 units.
    """
    first, second = rank_within_strata(x, strata)[0][None], rank_within_strata(y, strata)[0]
    actual, above, below, count = float(first[0] @ second), 0, 0, 0
    for sums in _permuted_sums(first, second, strata, seed):
        above += int(np.count_nonzero(sums >= actual - _ROUNDING))
        below += int(np.count_nonzero(sums <= actual + _ROUNDING))
        count += len(sums)
    return (1 + above) / (1 + count), (1 + below) / (1 + count)


def two_sided_ps(
    xs: Array, y: Array, strata: Sequence[Hashable] | Codes, *, trend: Array | None = None, seed: int = 0
) -> Array:
    """Two-sided permutation p of "no association" of y with each of several quantities: [quantities].

    Args:
        xs: [quantities, n], ranked and centred within strata.
        y: [n], likewise; its values are permuted within strata, the same way for all.
        trend: [n, k] what both sides were made residuals of; permuted ones are again (Freedman & Lane).
    """
    actual, hits, count = np.abs(xs @ y), np.zeros(len(xs), dtype=np.int64), 0
    for sums in _permuted_sums(xs, y, strata, seed, trend):
        hits, count = hits + np.count_nonzero(np.abs(sums) >= actual - _ROUNDING, axis=0), count + len(sums)
    ps: Array = (1 + hits) / (1 + count)
    return ps


def _permuted_sums(
    xs: Array, y: Array, strata: Sequence[Hashable] | Codes, seed: int, trend: Array | None = None
) -> Iterator[Array]:
    """Sums of products [permutations, quantities], some at a time."""
    cells, random = groups(strata), np.random.default_rng(seed)
    count = int(np.clip(_NUMBERS // max(1, len(y)), _FEWEST_PERMUTATIONS, _MOST_PERMUTATIONS))
    rows = max(1, _AT_ONCE // max(1, len(y)))
    for start in range(0, count, rows):
        draws = np.tile(y, (min(rows, count - start), 1))
        for cell in cells:
            draws[:, cell] = random.permuted(draws[:, cell], axis=1)
        yield residuals(draws, trend) @ xs.T


def tau_b(x: Array, y: Array, strata: Sequence[Hashable] | Codes) -> float | None:
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
