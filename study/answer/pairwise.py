"""Whether measures order configurations as the generalization gap does: Ψ, and conditional mutual information.

Both look at pairs of configurations: units that share all fields are one, averaged. Source: Jiang et al. 2020,
arXiv:1912.02178, sections 2.2 and 2.3.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from study.answer.evidence import Array

Codes = npt.NDArray[np.int64]
Pairs = tuple[Codes, Codes, Codes]
RESAMPLES = 500
_MOST_CONDITIONS = 2
_MOST_PAIRS, _MOST_RESAMPLED = 1_000_000, 5_000
_EMPTY = 1e-15


@dataclass(frozen=True)
class Estimate:
    """A number with the ends of its 95 % interval; None, with the reason, where it is undefined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Configurations:
    """Averages over the units of each configuration.

    Attributes:
        values: [measures, n], NaN where undefined.
        gap: [n].
        studies: [n] codes; pairs are within one study.
        fields: Spanned field → [n] codes of its values.
        training: Those of `fields` that say how dense networks are made, and are neither condition nor instrument.
    """

    values: Array
    gap: Array
    studies: Codes
    fields: Mapping[str, Codes]
    training: tuple[str, ...]

    @classmethod
    def from_units(
        cls, values: Array, gap: Array, studies: Codes, fields: Mapping[str, Codes], training: Sequence[str]
    ) -> "Configurations":
        """From units [measures, n]; a measure is averaged over the units that have it."""
        keys = np.stack([studies, *fields.values()], axis=1)
        first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)[1:]
        inverse = inverse.reshape(-1)
        has_value = np.isfinite(values)
        sums, counts = np.zeros((2, len(first), len(values)))
        np.add.at(sums, inverse, np.where(has_value, values, 0.0).T)
        np.add.at(counts, inverse, has_value.T)
        with np.errstate(invalid="ignore"):
            means = (sums / counts).T
        return cls(
            means,
            np.bincount(inverse, weights=gap) / np.bincount(inverse),
            studies[first],
            {name: codes[first] for name, codes in fields.items()},
            tuple(training),
        )


def psi(found: Configurations, *, seed: int = 0) -> list[Estimate]:
    """Ψ of each measure: Kendall's τ-b averaged over cells in which one training field varies, then over such fields.

    Cells in which all pairs are tied in one of the two say nothing. Intervals: percentiles over 500 resamplings of
    configurations.
    """
    axes = [cell for name in found.training if (cell := _cells(found, name)) is not None]
    if not axes:
        return [Estimate(reason="no two configurations differ in one training field only")] * len(found.values)
    if sum(len(i) for i, _, _ in axes) > _MOST_PAIRS:
        return [Estimate(reason=f"more than {_MOST_PAIRS:,} pairs of configurations")] * len(found.values)
    weights = _weights(len(found.gap), sum(len(i) for i, _, _ in axes), seed)
    result = []
    for values in found.values:
        sums, counts = np.zeros(len(weights)), np.zeros(len(weights))
        for cells in axes:
            taus = _taus(values, found.gap, weights, cells)
            has_tau = np.isfinite(taus)
            tau_counts = has_tau.sum(axis=1)
            means = np.where(has_tau, taus, 0.0).sum(axis=1) / np.maximum(tau_counts, 1)
            sums, counts = sums + np.where(tau_counts > 0, means, 0.0), counts + (tau_counts > 0)
        result.append(_estimate(np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)))
    return [
        one if one.value is not None else Estimate(reason="all pairs are tied in the measure or in the gap")
        for one in result
    ]


def cmi(found: Configurations, *, seed: int = 0) -> list[Estimate]:
    """Conditional mutual information of each measure with the gap: min over |S| ≤ 2 of I(Vμ; Vg | U_S) / H(Vg | U_S).

    V says of an ordered pair of configurations whether the first one's number is larger, U_S are both values of the
    fields in S; 0: some fields explain all that the measure says of the gap, 1: none do. It is estimated from counts,
    so few pairs make it too large. Intervals as for `psi`.
    """
    names = [name for name, codes in found.fields.items() if len(np.unique(codes)) > 1]
    n = len(found.gap)
    if n < 3:
        return [Estimate(reason=f"{n} configurations, 3 are needed")] * len(found.values)
    if n * (n - 1) > _MOST_PAIRS:
        return [Estimate(reason=f"more than {_MOST_PAIRS:,} pairs of configurations")] * len(found.values)
    left, right = np.nonzero((found.studies[:, None] == found.studies[None]) & ~np.eye(n, dtype=bool))
    larger = (found.gap[left] > found.gap[right]).astype(np.int64)
    conditions = []
    for size in range(_MOST_CONDITIONS + 1):
        for subset in itertools.combinations(names, size):
            both = [found.fields[name][side] for name in subset for side in (left, right)]
            conditions.append(_open(_codes([found.studies[left], *both]), larger))
    weights = _weights(n, len(left), seed)
    pairs = weights[:, left] * weights[:, right]
    result = []
    for values in found.values:
        has_both = np.isfinite(values[left]) & np.isfinite(values[right])
        order = 2 * (values[left] > values[right]) + larger
        shares = [_information(pairs, rows[has_both[rows]], codes[has_both[rows]], order) for rows, codes in conditions]
        with np.errstate(invalid="ignore"):
            result.append(_estimate(np.fmin.reduce(np.stack(shares), axis=0)))
    reason = "the gap is the same in all pairs of configurations that have the measure"
    return [one if one.value is not None else Estimate(reason=reason) for one in result]


def _open(condition: Codes, larger: Codes) -> tuple[Codes, Codes]:
    """The pairs under conditions that leave the order of the gap open, with codes from 0 on: no others say anything."""
    counts = np.bincount(condition)
    ups = np.bincount(condition, weights=larger)
    rows = np.flatnonzero(((ups > 0) & (ups < counts))[condition])
    return rows, np.unique(condition[rows], return_inverse=True)[1].reshape(-1)


def _cells(found: Configurations, axis: str) -> Pairs | None:
    """Pairs that differ in one field only, sorted by cell, and where each cell starts; None where there are none."""
    others = [codes for name, codes in found.fields.items() if name != axis]
    cell = _codes([found.studies, *others])
    order = np.argsort(cell, kind="stable")
    first, second, starts, count = [], [], [], 0
    for rows in np.split(order, np.flatnonzero(np.diff(cell[order])) + 1):
        if len(rows) < 2:
            continue
        i, j = np.triu_indices(len(rows), k=1)
        first.append(rows[i])
        second.append(rows[j])
        starts.append(count)
        count += len(i)
    return (np.concatenate(first), np.concatenate(second), np.array(starts)) if starts else None


def _taus(values: Array, gap: Array, weights: Array, pairs: Pairs) -> Array:
    """τ-b of each resampling and cell [R, cells]."""
    i, j, starts = pairs
    with np.errstate(invalid="ignore"):
        x = np.sign(values[i] - values[j])
    y = np.where(np.isfinite(x), np.sign(gap[i] - gap[j]), 0.0)
    x = np.nan_to_num(x)
    counts = weights[:, i] * weights[:, j]
    agree, untied_x, untied_y = (np.add.reduceat(counts * part, starts, axis=1) for part in (x * y, x * x, y * y))
    scale = np.sqrt(untied_x * untied_y)
    taus: Array = np.divide(agree, scale, out=np.full(agree.shape, np.nan), where=scale > 0)
    return taus


def _information(weights: Array, rows: Codes, condition: Codes, order: Codes) -> Array:
    """I/H of each resampling [R] over some pairs; NaN where conditions leave nothing open of the gap."""
    if not len(rows):
        return np.full(len(weights), np.nan)
    count = int(condition.max()) + 1
    indicators = csr_matrix((np.ones(len(rows)), (rows, 4 * condition + order[rows])), (weights.shape[1], 4 * count))
    table = np.asarray(weights @ indicators).reshape(len(weights), count, 2, 2)  # [R, conditions, measure, gap]
    ends = table.sum(axis=(2, 3))
    measure, gap = table.sum(axis=3, keepdims=True), table.sum(axis=2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = table * np.log(table * ends[..., None, None] / (measure * gap))
        open_ = gap[:, :, 0] * np.log(gap[:, :, 0] / ends[..., None])
        information = np.nansum(terms, axis=(1, 2, 3)) / table.sum(axis=(1, 2, 3))
        entropy = -np.nansum(open_, axis=(1, 2)) / table.sum(axis=(1, 2, 3))
        ratios: Array = np.where(entropy > _EMPTY, information / entropy, np.nan)
    return ratios


def _weights(configurations: int, pairs: int, seed: int) -> Array:
    """How often each configuration counts [1 + 500, n]: once, then as drawn with replacement; no draws of very many."""
    once = np.ones((1, configurations))
    if pairs > _MOST_RESAMPLED:
        return once
    draws = np.random.default_rng(seed).multinomial(
        configurations, np.full(configurations, 1 / configurations), RESAMPLES
    )
    return np.concatenate([once, draws.astype(np.float64)])


def _estimate(paths: Array) -> Estimate:
    """The first is the estimate, the others its resamplings."""
    if not math.isfinite(paths[0]):
        return Estimate()
    draws = paths[1:][np.isfinite(paths[1:])]
    if len(draws) < RESAMPLES // 2:
        return Estimate(float(paths[0]))
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(float(paths[0]), float(low), float(high))


def _codes(columns: Sequence[npt.NDArray[np.int64]]) -> Codes:
    """One code a distinct row."""
    codes: Codes = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)[1].reshape(-1)
    return codes


def encode_values(values: Sequence[object]) -> Codes:
    """Values as numbers from 0 on, in ascending order: of numbers if all are, else of their texts."""
    plain = all(isinstance(value, int | float | np.number) for value in values)
    raw = np.array(values, dtype=np.float64) if plain else np.array([str(value) for value in values], dtype=str)
    codes: Codes = np.unique(raw, return_inverse=True)[1].reshape(-1)
    return codes
