"""Evidence about a mean: at a planned number of units by Student's t, at any time by the mean of two e-values.

All of it is arithmetic on arrays whose last axis is units in their order; what is returned for "after each unit" has
the same shape, so that thousands of studies are computed at once. e-values are given as logarithms. An e-value of at
least 1/α rejects its null at level α however often one looks (Ville's inequality).

Definitions and sources: Wang & Ramdas 2022, arXiv:2310.03722 (anytime t); Waudby-Smith & Ramdas 2024, arXiv:2010.09686
(betting); Vovk & Wang 2021, doi:10.1214/20-AOS2020 (means of e-values).
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

Array = npt.NDArray[np.float64]
Bounds = tuple[float, float]
ALPHA = 0.025
"""What each guarantee may spend: half of 5 %."""
FEWEST = 8
_SKEW = -0.25
_CAP = 0.75
_SIGN_CAP = 0.9
_BETTING_ALPHA = 0.05
_NOTHING = -math.inf
_HALVINGS, _CLOSE = 60, 1e-12


@dataclass(frozen=True)
class Scale:
    """What is known of a quantity before there are data.

    Attributes:
        bounds: Between which numbers each unit lies for certain; None: it is bet on by signs.
        resolution: A spread below this is no spread: one example of the smallest split.
        is_share: Whether units say yes or no, of which the anytime t knows nothing.
    """

    bounds: Bounds | None = None
    resolution: float = 0.0
    is_share: bool = False


def log_anytime_t(values: Array, null: float) -> Array:
    """log e against "the mean is at most `null`", after each unit: the anytime t with c = 1, one-sided.

    eₙ = √(1/(n + 1)) · (1 − S²/((n + 1)V))^(−n/2) where the mean lies above, else √(1/(n + 1)), the least that any
    null on that side has.
    """
    shifted = np.asarray(values, dtype=np.float64) - null
    n = _counts(shifted)
    total, squares = np.cumsum(shifted, axis=-1), np.cumsum(shifted**2, axis=-1)
    explained = np.divide(total**2, (n + 1) * squares, out=np.zeros_like(total), where=squares > 0)
    return -0.5 * np.log(n + 1) - np.where(total > 0, 0.5 * n * np.log1p(-explained), 0.0)


def trusts_t(values: Array, scale: Scale) -> npt.NDArray[np.bool_]:
    """Whether the anytime t counts upwards, after each unit.

    Not below 8 units, nor while the sample is skewed to the left (its long tail may not have shown yet: false alarms
    of .11 to .12 at .05 without this), nor of values that are nearly all equal, nor of shares.
    """
    spread, skew = _shape(values, scale.resolution)
    return spread & (_counts(spread) >= FEWEST) & (skew >= _SKEW) & (not scale.is_share)


def _shape(values: Array, resolution: float) -> tuple[npt.NDArray[np.bool_], Array]:
    """Whether there is any spread, and the sample skewness (0 without), after each unit."""
    array = np.asarray(values, dtype=np.float64)
    shifted = array - array[..., :1]
    n = _counts(shifted)
    mean, square, cube = (np.cumsum(shifted**power, axis=-1) / n for power in (1, 2, 3))
    variance = np.maximum(square - mean**2, 0.0)
    third = cube - 3 * mean * square + 2 * mean**3
    floor = max(resolution, 1e-12 * float(np.abs(array).max(initial=0.0))) ** 2
    spread = variance > floor
    return spread, np.divide(third, variance**1.5, out=np.zeros_like(third), where=spread)


def log_bets(values: Array, null: float, bounds: Bounds | None) -> Array:
    """log of the capital of a bettor against "the mean is at most `null`", after each unit.

    ∏(1 + λᵢ(xᵢ − m)) on values rescaled to [0, 1], λᵢ = min(√(2 log(2/α)/(σ̂²ᵢ₋₁ i log(1 + i))), ¾/m), the predictable
    plug-in. Without bounds it is bet on which side of the null units fall, whose chance is ½ where they may as well be
    their mirror images.

    Args:
        bounds: Of the quantity; a null outside is settled at once.
    """
    return _bettor(values, bounds)(null)


def _bettor(values: Array, bounds: Bounds | None) -> Callable[[float], Array]:
    """`log_bets` of these values against any null; what no null changes is computed once."""
    array = np.asarray(values, dtype=np.float64)
    if bounds is None:

        def by_signs(null: float) -> Array:
            return _capital((np.sign(array - null) + 1) / 2, 0.5, _SIGN_CAP)

        return by_signs
    low, high = bounds
    scaled = np.clip((array - low) / (high - low), 0, 1)
    free = _plug_in(scaled)

    def capital_at(null: float) -> Array:
        m = (null - low) / (high - low)
        if m <= 0 or m >= 1:
            return np.full(array.shape, math.inf if m < 0 else _NOTHING)
        return _capital(scaled, m, _CAP, free)

    return capital_at


def _capital(array: Array, m: float, cap: float, free: Array | None = None) -> Array:
    bets = np.minimum(_plug_in(array) if free is None else free, cap / m)
    return np.cumsum(np.log1p(bets * (array - m)), axis=-1)


def log_evidence(values: Array, null: float, scale: Scale) -> Array:
    """log of the e-value that decides, against "the mean is at most `null`", after each unit.

    The mean of the anytime t, 0 where it is not trusted, and of betting: an e-value itself. Bets on signs, which are
    about the median, count as 0 as well while the sample is skewed to the left (false alarms of .10 without this).
    """
    return _judge(values, scale)(null)


def _judge(values: Array, scale: Scale) -> Callable[[float], Array]:
    """`log_evidence` of these values against any null; what no null changes is computed once."""
    trusted, bettor = trusts_t(values, scale), _bettor(values, scale.bounds)
    symmetric = None if scale.bounds is not None else _shape(values, scale.resolution)[1] >= _SKEW

    def against(null: float) -> Array:
        by_t = np.where(trusted, log_anytime_t(values, null), _NOTHING)
        bets = bettor(null)
        if symmetric is not None:
            bets = np.where(symmetric, bets, _NOTHING)
        return np.logaddexp(by_t, bets) - math.log(2)

    return against


def lower_end(values: Array, log_threshold: float, scale: Scale, *, only: str = "") -> float:
    """The largest null below the mean that was rejected upwards after any of the units; −∞ where none was.

    As long as all values are the same, signs tell a null below them from one above, but not how far the mean may lie
    from these values: they count for verdicts, whose nulls are stated before, and not for ends.

    Args:
        values: [n].
        log_threshold: log(1/α).
        only: `t` or `betting` for one of the two alone, unguarded.
    """
    against: Callable[[float], Array]
    if only == "t":
        against = functools.partial(log_anytime_t, values)
    else:
        against = _bettor(values, scale.bounds) if only == "betting" else _judge(values, scale)
    counts = _shape(values, scale.resolution)[0] | (scale.bounds is not None) | bool(only)

    def is_rejected(null: float) -> bool:
        return bool(against(null).max(initial=_NOTHING, where=counts) >= log_threshold)

    mean = float(np.mean(values))
    width = max(float(np.ptp(values)), scale.resolution, abs(mean), 1e-9)
    low = scale.bounds[0] if scale.bounds is not None else mean - 64 * width
    if not is_rejected(low + 1e-12 * width):
        return scale.bounds[0] if scale.bounds is not None else -math.inf
    high = float(np.max(values))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_rejected(middle) else (low, middle)
        if high - low <= _CLOSE * width:
            break
    return low


def sequence(values: Array, log_threshold: float, scale: Scale, *, only: str = "") -> tuple[float, float]:
    """The confidence sequence after these units, all that was ever excluded left out: (lower end, upper end).

    Each side is wrong with probability at most α at any time, so that 1/α = 40 makes 95 % for both.
    """
    turned = Scale(_mirror_bounds(scale.bounds), scale.resolution, scale.is_share)
    values = np.asarray(values, dtype=np.float64)
    return (
        lower_end(values, log_threshold, scale, only=only),
        -lower_end(-values, log_threshold, turned, only=only),
    )


def mirror_scale(scale: Scale) -> Scale:
    """The scale of −x."""
    return Scale(_mirror_bounds(scale.bounds), scale.resolution, scale.is_share)


def t_interval(values: Array, alpha: float, resolution: float = 0.0) -> tuple[float, float]:
    """Student's t interval that is wrong with probability α on each side; unbounded below 2 values.

    A spread below the resolution counts as that much.
    """
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return -math.inf, math.inf
    half = float(stdtrit(n - 1, 1 - alpha)) * _error(values, resolution)
    return mean - half, mean + half


def t_p(values: Array, null: float, resolution: float = 0.0) -> float:
    """One-sided p of Student's t against "the mean is at most `null`"; 1 below 2 values."""
    n = len(values)
    if n < 2:
        return 1.0
    error, ahead = _error(values, resolution), float(np.mean(values)) - null
    if error == 0:
        return 0.0 if ahead > 0 else 1.0
    return float(stdtr(n - 1, -ahead / error))


def welch(first: Array, second: Array, null: float, alpha: float, resolution: float) -> tuple[float, float, float]:
    """Welch's t test of two independent samples: one-sided p against "the means differ by at most `null`"; interval.

    With the Satterthwaite degrees of freedom; (1, −∞, ∞) where one sample has fewer than 2 values.
    """
    if min(len(first), len(second)) < 2:
        return 1.0, -math.inf, math.inf
    a, b = _error(first, resolution) ** 2, _error(second, resolution) ** 2
    error, ahead = math.sqrt(a + b), float(np.mean(first) - np.mean(second))
    if error == 0:
        return (0.0 if ahead > null else 1.0), ahead, ahead
    freedom = (a + b) ** 2 / (a**2 / (len(first) - 1) + b**2 / (len(second) - 1))
    half = float(stdtrit(freedom, 1 - alpha)) * error
    return float(stdtr(freedom, -(ahead - null) / error)), ahead - half, ahead + half


def _error(values: Array, resolution: float) -> float:
    return max(float(np.std(values, ddof=1)), resolution) / math.sqrt(len(values))


def _plug_in(values: Array) -> Array:
    """Bets for each unit from those before it."""
    i = _counts(values)
    means = (0.5 + np.cumsum(values, axis=-1)) / (i + 1)
    variances = (0.25 + np.cumsum((values - means) ** 2, axis=-1)) / (i + 1)
    before = np.concatenate([np.full_like(variances[..., :1], 0.25), variances[..., :-1]], axis=-1)
    bets: Array = np.sqrt(2 * math.log(2 / _BETTING_ALPHA) / (before * i * np.log1p(i)))
    return bets


def _counts(values: npt.NDArray[Any]) -> Array:
    return np.arange(1, values.shape[-1] + 1, dtype=np.float64)


def _mirror_bounds(bounds: Bounds | None) -> Bounds | None:
    return None if bounds is None else (-bounds[1], -bounds[0])
