"""Intervals and tests, as pure functions of numbers. Definitions: see the docstrings; nothing is estimated silently."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Numbers = Sequence[float] | npt.NDArray[np.float64]
_FEWEST_PAIRS = 20
_MOST_PERMUTATIONS, _FEWEST_PERMUTATIONS, _COMPARISONS = 9_999, 999, 50_000_000
_AT_ONCE = 500_000
_HIGHEST_DEGREE = 8


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
    seed: int = 0,
) -> KendallResult:
    """Kendall's τ-b of `x` and `y` over the pairs that share a stratum, never across.

    τ-b = (concordant − discordant)/√((pairs − ties in x)(pairs − ties in y)), all counts pooled over strata. p permutes
    `y` within strata; (1 + hits)/(1 + permutations), with 9,999 permutations, fewer (at least 999) if there are more
    than 5,000 pairs.

    Where a continuous condition drives both sides, both are replaced by their residuals from a polynomial in it (see
    `trend`) before they are ranked. Comparing only trials whose conditions lie close together instead leaves a bias,
    since what is left of the trend inside a window still orders both sides: within ±.05 of label noise, τ = −.11 where
    there is no relation at all, and p < .05 in 24 % of such studies of 120 trials. Permuted residuals are made
    residuals again, so that the null has lost the degrees of freedom that the data have lost.

    Args:
        x, y: [n], finite.
        strata: [n], compared by equality.
        conditions: [n] a continuous condition, e.g. label noise, or None.
        seed: Of the permutations.
    Returns:
        tau None, with the reason, below 20 pairs or when all pairs are tied in x or in y.
    References:
        Jiang et al. 2020, arXiv:1912.02178: correlation with the gap at equal values of what drives both sides;
        Freedman & Lane 1983, doi:10.1080/07350015.1983.10509354: permuting residuals.
    """
    first, second = _finite(x), _finite(y)
    if not len(first) == len(second) == len(strata) or (conditions is not None and len(conditions) != len(first)):
        raise ValueError("x, y, strata and conditions must have one value per trial")
    codes = {stratum: code for code, stratum in enumerate(dict.fromkeys(strata))}
    stratum = np.array([codes[s] for s in strata], dtype=np.int64)
    i, j = np.triu_indices(len(first), k=1)
    i, j = i[stratum[i] == stratum[j]], j[stratum[i] == stratum[j]]
    pairs, groups = len(i), len(np.unique(stratum[i]))
    if pairs < _FEWEST_PAIRS:
        return KendallResult(None, pairs, None, groups, f"{pairs} pairs, nothing is said below {_FEWEST_PAIRS}")
    basis = None if conditions is None else trend(_finite(conditions), stratum)
    first, second = residuals(first, basis), residuals(second, basis)
    sign_x = np.sign(first[i] - first[j])
    tau = float(_tau_b(sign_x, np.sign(second[i] - second[j])[None])[0])
    if np.isnan(tau):
        return KendallResult(None, pairs, None, groups, "all pairs are tied in one of the two quantities")
    count = int(np.clip(_COMPARISONS // pairs, _FEWEST_PERMUTATIONS, _MOST_PERMUTATIONS))
    cells = [np.flatnonzero(stratum == code) for code in range(len(codes))]
    random = np.random.default_rng(seed)
    hits, rows = 0, max(1, _AT_ONCE // pairs)
    for start in range(0, count, rows):
        permuted = np.tile(second, (min(rows, count - start), 1))
        for cell in cells:
            permuted[:, cell] = random.permuted(permuted[:, cell], axis=1)
        permuted = residuals(permuted, basis)
        null = _tau_b(sign_x, np.sign(permuted[:, i] - permuted[:, j]))
        hits += int(np.count_nonzero(np.abs(null) >= abs(tau) - 1e-12))
    return KendallResult(tau, pairs, (1 + hits) / (1 + count), groups)


def without_trend(
    x: Numbers, y: Numbers, strata: Sequence[Hashable], conditions: Numbers
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], int]:
    """`x` and `y` less what strata and a continuous condition explain of them, and how many degrees of freedom that is.

    Args:
        x, y, conditions: [n], finite.
        strata: [n], compared by equality.
    """
    codes = {stratum: code for code, stratum in enumerate(dict.fromkeys(strata))}
    basis = trend(_finite(conditions), np.array([codes[s] for s in strata], dtype=np.int64))
    return residuals(_finite(x), basis), residuals(_finite(y), basis), basis.shape[1]


def trend(conditions: npt.NDArray[np.float64], stratum: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """An orthonormal basis [n, k] of what stratum and condition can explain: a level a stratum, one polynomial for all.

    Its degree grows with √n (3 at 24 values, 5 at 60, 8 at most), so that a smooth curve's misfit stays below the
    noise around it.
    """
    low, high = float(conditions.min()), float(conditions.max())
    scaled = 2 * (conditions - low) / max(high - low, 1e-12) - 1
    degree = int(np.clip(round(0.62 * np.sqrt(len(conditions))), 1, _HIGHEST_DEGREE))
    levels = (stratum[:, None] == np.arange(stratum.max() + 1)[None]).astype(np.float64)
    columns = np.concatenate([levels, np.polynomial.chebyshev.chebvander(scaled, degree)[:, 1:]], axis=1)
    vectors, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    basis: npt.NDArray[np.float64] = vectors[:, sizes > sizes[0] * 1e-10]
    return basis


def residuals(values: npt.NDArray[np.float64], basis: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64]:
    """[…, n] less their projections on the columns of `basis` [n, k]; rounding counts as a tie."""
    if basis is None:
        return values
    left: npt.NDArray[np.float64] = values - (values @ basis) @ basis.T
    spread = np.abs(values).max(initial=0.0)
    return np.where(np.abs(left) <= 1e-12 * spread, 0.0, left)


def _tau_b(sign_x: npt.NDArray[np.float64], sign_y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """τ-b from signs of differences, [pairs] and [rows, pairs] → [rows]; nan where all pairs are tied on a side."""
    untied = np.count_nonzero(sign_x) * np.count_nonzero(sign_y, axis=1)
    scale = np.sqrt(untied.astype(np.float64))
    result = np.full(len(sign_y), np.nan)
    np.divide(sign_y @ sign_x, scale, out=result, where=scale > 0)
    return result


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
