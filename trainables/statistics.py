"""Intervals and tests, as pure functions of numbers. Definitions: see the docstrings; nothing is estimated silently."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Numbers = Sequence[float] | npt.NDArray[np.float64]
_EXACT_UP_TO = 20
_MONTE_CARLO = 99_999
_FEWEST_PAIRS = 20
_MOST_PERMUTATIONS, _FEWEST_PERMUTATIONS, _COMPARISONS = 9_999, 999, 50_000_000
_AT_ONCE = 500_000


def mean_ci95(values: Numbers) -> tuple[float, float | None, int]:
    """Mean, half width of its 95 % interval by Student's t with n − 1 degrees of freedom, and n.

    The half width is None below 3 values. For paired quantities give the differences. (The percentile bootstrap
    covers only 75–89 % for 3 to 8 values, so it is not used.)

    Raises:
        ValueError: No values, or one that is not finite.
    """
    array = _finite(values)
    n = len(array)
    if n == 0:
        raise ValueError("a mean needs at least one value")
    if n < 3:
        return float(array.mean()), None, n
    half = stdtrit(n - 1, 0.975) * array.std(ddof=1) / np.sqrt(n)
    return float(array.mean()), float(half), n


def sign_flip_p(values: Numbers, seed: int = 0) -> float:
    """Two-sided p of "the values are symmetric about 0": the share of sign assignments with a sum as far from 0.

    Exact over all 2ⁿ assignments up to n = 20; beyond that (1 + hits)/(1 + draws) over 99,999 seeded draws, which is a
    valid p as well. The smallest exact p is 2/2ⁿ, so fewer than 6 values can never reach 0.05.

    Raises:
        ValueError: No values, or one that is not finite.
    """
    array = _finite(values)
    n = len(array)
    if n == 0:
        raise ValueError("a sign-flip test needs at least one value")
    # Sums that differ only by rounding count as equal.
    threshold = abs(array.sum()) - 1e-12 * float(np.abs(array).sum())
    if n <= _EXACT_UP_TO:
        sums = array[:1]
        for value in array[1:]:
            sums = np.concatenate([sums + value, sums - value])
        return float(np.mean(np.abs(sums) >= threshold))
    random = np.random.default_rng(seed)
    hits = 0
    for start in range(0, _MONTE_CARLO, 9_999):
        signs = random.integers(0, 2, size=(min(9_999, _MONTE_CARLO - start), n)) * 2 - 1
        hits += int(np.count_nonzero(np.abs(signs @ array) >= threshold))
    return (1 + hits) / (1 + _MONTE_CARLO)


@dataclass(frozen=True)
class KendallResult:
    """A rank correlation pooled over strata.

    Args:
        tau: Kendall's τ-b over all comparable pairs; None if undefined.
        pairs: How many pairs were comparable.
        p: Two-sided permutation p; None where tau is.
        strata: How many strata gave pairs.
        reason: Why tau is None, else None.
    """

    tau: float | None
    pairs: int
    p: float | None
    strata: int
    reason: str | None = None


def kendall_within_strata(
    x: Numbers,
    y: Numbers,
    strata: Sequence[Hashable],
    conditions: Numbers | None = None,
    *,
    tolerance: float = 0.05,
    seed: int = 0,
) -> KendallResult:
    """Kendall's τ-b of `x` and `y` over the pairs that share a stratum, never across.

    τ-b = (concordant − discordant)/√((pairs − ties in x)(pairs − ties in y)), all counts pooled over strata. p permutes
    `y` within strata, and within stretches of `conditions` no longer than `tolerance`, so that the null keeps what
    stratum and condition do to `y`; (1 + hits)/(1 + permutations), with 9,999 permutations, fewer (at least 999) if
    there are more than 5,000 pairs.

    Args:
        x, y: [n], finite.
        strata: [n], compared by equality.
        conditions: [n] continuous conditions, e.g. label noise, or None; only pairs at most `tolerance` apart count.
        tolerance: See `conditions`.
        seed: Of the permutations.
    Returns:
        tau None, with the reason, below 20 pairs or when all pairs are tied in x or in y.
    References:
        Jiang et al. 2020, arXiv:1912.02178: correlation with the gap at equal values of what drives both sides.
    """
    first, second = _finite(x), _finite(y)
    where = _finite(conditions) if conditions is not None else np.zeros(len(first))
    if not len(first) == len(second) == len(strata) == len(where):
        raise ValueError("x, y, strata and conditions must have one value per trial")
    codes = {stratum: code for code, stratum in enumerate(dict.fromkeys(strata))}
    stratum = np.array([codes[s] for s in strata], dtype=np.int64)
    i, j = np.triu_indices(len(first), k=1)
    comparable = (stratum[i] == stratum[j]) & (np.abs(where[i] - where[j]) <= tolerance + 1e-9)
    i, j = i[comparable], j[comparable]
    pairs, groups = len(i), len(np.unique(stratum[i]))
    if pairs < _FEWEST_PAIRS:
        return KendallResult(None, pairs, None, groups, f"{pairs} pairs, nothing is said below {_FEWEST_PAIRS}")
    sign_x = np.sign(first[i] - first[j])
    tau = float(_tau_b(sign_x, np.sign(second[i] - second[j])[None])[0])
    if np.isnan(tau):
        return KendallResult(None, pairs, None, groups, "all pairs are tied in one of the two quantities")
    count = int(np.clip(_COMPARISONS // pairs, _FEWEST_PERMUTATIONS, _MOST_PERMUTATIONS))
    cells = _cells(stratum, where, tolerance)
    random = np.random.default_rng(seed)
    hits, rows = 0, max(1, _AT_ONCE // pairs)
    for start in range(0, count, rows):
        permuted = np.tile(second, (min(rows, count - start), 1))
        for cell in cells:
            permuted[:, cell] = random.permuted(permuted[:, cell], axis=1)
        null = _tau_b(sign_x, np.sign(permuted[:, i] - permuted[:, j]))
        hits += int(np.count_nonzero(np.abs(null) >= abs(tau) - 1e-12))
    return KendallResult(tau, pairs, (1 + hits) / (1 + count), groups)


def _tau_b(sign_x: npt.NDArray[np.float64], sign_y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """τ-b from signs of differences, [pairs] and [rows, pairs] → [rows]; nan where all pairs are tied on a side."""
    untied = np.count_nonzero(sign_x) * np.count_nonzero(sign_y, axis=1)
    scale = np.sqrt(untied.astype(np.float64))
    result = np.full(len(sign_y), np.nan)
    np.divide(sign_y @ sign_x, scale, out=result, where=scale > 0)
    return result


def _cells(
    stratum: npt.NDArray[np.int64], where: npt.NDArray[np.float64], tolerance: float
) -> list[npt.NDArray[np.int64]]:
    """Indices that may be exchanged: same stratum, conditions within `tolerance` of the first of the cell."""
    cells: list[list[int]] = []
    for index in np.lexsort((where, stratum)):
        first = cells[-1][0] if cells else None
        near = first is not None and where[index] - where[first] <= tolerance + 1e-9
        if first is not None and stratum[index] == stratum[first] and near:
            cells[-1].append(int(index))
        else:
            cells.append([int(index)])
    return [np.array(cell, dtype=np.int64) for cell in cells]


def fidelity(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
    """Share of inputs on which two networks predict the same class; predictions [n], n ≥ 1."""
    return float(np.mean(first == second))


def cohen_kappa(confusion: npt.NDArray[Any]) -> float | None:
    """Agreement beyond chance of two classifiers: (observed − expected)/(1 − expected).

    Args:
        confusion: [C, C], how often the first said row and the second said column.
    Returns:
        None when both always say one and the same class, where it is 0/0.
    References:
        Cohen 1960, doi:10.1177/001316446002000104.
    """
    shares = confusion / confusion.sum()
    expected = float(shares.sum(axis=1) @ shares.sum(axis=0))
    if expected >= 1 - 1e-12:
        return None
    return (float(np.trace(shares)) - expected) / (1 - expected)


def _finite(values: Numbers) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("values must be finite; leave undefined ones out")
    return array
