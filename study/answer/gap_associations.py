"""Which measure tracks the generalization gap: each measure held against it, within strata of the conditions.

Label noise drives both a measure and the gap, so units are compared at equal condition and instrument only. All that is
said of a measure stands in one row, and every measure has one: the share of false ones among those found is controlled
over all that were tested (Benjamini & Hochberg 1995; at any time Wang & Ramdas 2022, doi:10.1111/rssb.12489).
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from study.answer.associating import Slope, rank_within_strata, tau_b, two_sided_ps
from study.answer.evidence import Array
from study.answer.gap_model import GapAssociation, GapTable
from study.answer.gap_units import Units, merge_units, units_of
from study.answer.measured import sentences
from study.answer.pairwise import Configurations, Estimate, cmi, psi
from study.answer.strata import COMPRESSIBILITY, LEAST_PAIRS, pairs_within
from study.answer.words import plural
from trainables.statistics import residuals, trend

Mask = npt.NDArray[np.bool_]
CONTROLS = ("norms/frobenius", "margins/mean")
"""The norm and the margin that a partial association is given."""
_ALPHA = 0.05
_SAYS = "mean over log₂(parameter ratio) of the accuracy above chance that is left"


def gap_table(studies: Sequence[tuple[pd.DataFrame, pd.DataFrame]], *, as_planned: bool) -> GapTable:
    """Holds every measure, and compressibility, against the gap in all units of some studies.

    Args:
        studies: (trials, networks) of each; units of different studies are never compared.
        as_planned: Whether each of them ended at its first planned number of trials.
    """
    units = [units_of(trials, networks) for trials, networks in studies]
    return associations(units[0] if len(units) == 1 else merge_units(units), as_planned=as_planned)


def associations(units: Units, *, as_planned: bool) -> GapTable:
    """The same of units. Pure: the same units give the same table."""
    rows = [_association(units, place, as_planned=as_planned) for place in range(len(units.names))]
    rows = _with_q(_with_ps(rows, units), as_planned=as_planned)
    if units.n and any(not row.reason for row in rows):
        averages = Configurations.from_units(units.values, units.gap, units.studies, units.fields, units.training)
        whole = "label noise is a continuous range" if units.continuous else ""
        both = zip(psi(averages), cmi(averages), strict=True)
        rows = [
            row if row.reason else replace(row, psi=_unless(whole, first), cmi=_unless(whole, second))
            for row, (first, second) in zip(rows, both, strict=True)
        ]
    says = {**sentences(), COMPRESSIBILITY: _SAYS}
    rows = [replace(row, says=says.get(row.name, "")) for row in rows]
    alike, fields = _alike_measures(units, rows)
    order = sorted(rows, key=lambda row: (row.q is None, row.q or 0.0, -abs(row.association.value or 0.0), row.name))
    return GapTable(tuple(order), as_planned, units.within, dict(units.excluded), alike, fields)


def _association(units: Units, place: int, *, as_planned: bool) -> GapAssociation:
    """Association, τ and partial association of one measure; p and q come from all together."""
    name, own = units.names[place], _comparable_units(units, place)
    strata, basis = _strata(units, own), _trend(units, own)
    pairs = pairs_within(strata)
    row = GapAssociation(name, n=int(own.sum()), pairs=pairs, strata=len(set(strata)))
    if reason := _lacking(units, place, pairs):
        return replace(row, reason=reason)
    x, y = (residuals(rank_within_strata(values[own], strata)[0], basis) for values in (units.values[place], units.gap))
    if not (_varies(x) and _varies(y)):
        what = "the measure" if _varies(y) else "the gap"
        return replace(row, reason=f"{what} is the same in all units of each stratum")
    slope = Slope(len(x), row.strata, float(x @ x), float(x @ y), float(y @ y))
    low, high = slope.t_interval(_ALPHA / 2) if as_planned else (-math.inf, math.inf)
    if not as_planned and basis is None:
        low, high = slope.sequence(math.log(1 / _ALPHA))
    evidence = None if basis is not None or not slope.counts else math.exp(_log_e(slope))
    return replace(
        row,
        association=_correlation(slope.estimate, low, high),
        tau=tau_b(residuals(units.values[place][own], basis), residuals(units.gap[own], basis), strata),
        e=evidence,
        partial=_partial(units, place, own, (x, y), basis),
    )


def _alike_measures(units: Units, rows: Sequence[GapAssociation]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The largest set of measures that nothing here tells apart, and the training fields that they follow."""
    groups_: dict[bytes, list[str]] = {}
    everywhere = np.ones(units.n, dtype=bool)
    for place, row in enumerate(rows):
        if not row.reason and bool((_comparable_units(units, place) == everywhere).all()):
            groups_.setdefault(_ordering(units.values[place], units), []).append(row.name)
    key, names = max(groups_.items(), key=lambda item: len(item[1]), default=(b"", []))
    if len(names) < 2:
        return (), ()
    fields = [name for name in units.training if _ordering(units.fields[name].astype(np.float64), units) == key]
    return tuple(names), tuple(fields)


def _ordering(values: Array, units: Units) -> bytes:
    """The same for all that rank the units of every stratum alike, or exactly reversed."""
    ranks = np.round(rank_within_strata(values, units.strata)[0], 6)
    first = ranks[np.flatnonzero(ranks)[:1]]
    return bytes((ranks * np.sign(first if len(first) else 1.0) + 0.0).tobytes())


def _lacking(units: Units, place: int, pairs: int) -> str:
    """Why a measure can't be held against the gap, "" where it can."""
    left_out = ", ".join(f"{count} left out: {why}" for why, count in units.excluded.items())
    if not units.n:
        return "no unit has a gap that can be compared" + (f" ({left_out})" if left_out else "")
    if not np.isfinite(units.values[place]).any():
        return "no network has this number"
    if pairs < LEAST_PAIRS:
        return f"{plural(pairs, 'pair')} of units at equal conditions, {LEAST_PAIRS} are needed" + (
            f" ({left_out})" if left_out else ""
        )
    return ""


def _comparable_units(units: Units, place: int) -> Mask:
    """Units that have the measure, and are not alone in their stratum with it."""
    has_value = np.isfinite(units.values[place])
    counts: dict[Hashable, int] = {}
    for stratum, has in zip(units.strata, has_value, strict=True):
        counts[stratum] = counts.get(stratum, 0) + bool(has)
    comparable: Mask = has_value & np.array([counts[stratum] > 1 for stratum in units.strata], dtype=bool)
    return comparable


def _strata(units: Units, own: Mask) -> list[Hashable]:
    return [stratum for stratum, counts in zip(units.strata, own, strict=True) if counts]


def _trend(units: Units, own: Mask) -> Array | None:
    """What a continuous label noise and the strata explain, a block a study; None where strata fix the noise."""
    noise, studies = units.noise[own], units.studies[own]
    if not np.isfinite(noise).any():
        return None
    codes = {stratum: code for code, stratum in enumerate(dict.fromkeys(_strata(units, own)))}
    strata = np.array([codes[stratum] for stratum in _strata(units, own)], dtype=np.int64)
    blocks = []
    for study in np.unique(studies):
        rows = studies == study
        own_codes = np.unique(strata[rows], return_inverse=True)[1]
        if np.isfinite(noise[rows]).all():
            basis = trend(noise[rows], own_codes)
        else:
            levels = (own_codes[:, None] == np.arange(own_codes.max() + 1)[None]).astype(np.float64)
            basis = levels / np.sqrt(levels.sum(axis=0))
        block = np.zeros((len(noise), basis.shape[1]))
        block[rows] = basis
        blocks.append(block)
    return np.concatenate(blocks, axis=1)


def _with_ps(rows: list[GapAssociation], units: Units) -> list[GapAssociation]:
    """Permutation p of all that are defined; measures that the same units have are permuted at once."""
    alike: dict[bytes, list[int]] = {}
    for place, row in enumerate(rows):
        if not row.reason:
            alike.setdefault(_comparable_units(units, place).tobytes(), []).append(place)
    new_rows = list(rows)
    for places in alike.values():
        own = _comparable_units(units, places[0])
        strata, basis = _strata(units, own), _trend(units, own)
        xs = np.stack([residuals(rank_within_strata(units.values[place][own], strata)[0], basis) for place in places])
        y = residuals(rank_within_strata(units.gap[own], strata)[0], basis)
        for place, p in zip(places, two_sided_ps(xs, y, strata, trend=basis), strict=True):
            new_rows[place] = replace(rows[place], p=float(p))
    return new_rows


def _with_q(rows: list[GapAssociation], *, as_planned: bool) -> list[GapAssociation]:
    """q of all that have a p (or an e)."""
    places = [place for place, row in enumerate(rows) if (row.p if as_planned else row.e) is not None]
    if not places:
        return rows
    if as_planned:
        qs = false_shares(np.array([rows[place].p or 0.0 for place in places]))
    else:
        qs = e_values_q(np.array([rows[place].e or 0.0 for place in places]))
    new_rows = list(rows)
    for place, q in zip(places, qs, strict=True):
        new_rows[place] = replace(rows[place], q=float(q))
    return new_rows


def e_values_q(es: Array) -> Array:
    """For each e-value the smallest share at which e-BH finds it: min over ranks k ≥ its own of m / (k · e₍ₖ₎), ≤ 1.

    References:
        Wang & Ramdas 2022, doi:10.1111/rssb.12489; valid however the e-values depend on each other.
    """
    with np.errstate(divide="ignore"):
        return false_shares(1 / es)


def false_shares(ps: Array) -> Array:
    """For each p the smallest share at which Benjamini–Hochberg finds it: min over ranks k ≥ its own of m p₍ₖ₎ / k."""
    order, count = np.argsort(ps, kind="stable"), len(ps)
    shares = ps[order] * (count / np.arange(1, count + 1))
    qs = np.empty(count)
    qs[order] = np.minimum(1.0, np.minimum.accumulate(shares[::-1])[::-1])
    return qs


def _partial(units: Units, place: int, own: Mask, ranks: tuple[Array, Array], basis: Array | None) -> Estimate:
    """See `GapAssociation.partial`; interval by Fisher's z with n − strata − controls degrees of freedom."""
    others = [units.names.index(name) for name in CONTROLS if name in units.names and name != units.names[place]]
    others = [other for other in others if bool(np.isfinite(units.values[other][own]).all())]
    if not others:
        return Estimate(reason="neither norm nor margin was measured")
    strata = _strata(units, own)
    controls = np.stack(
        [residuals(rank_within_strata(units.values[other][own], strata)[0], basis) for other in others], axis=1
    )
    vectors, sizes, _ = np.linalg.svd(controls, full_matrices=False)
    axes = vectors[:, sizes > 1e-9 * max(1.0, float(sizes[0]))]
    x, y = (residuals(values, axes) for values in ranks)
    if not (_varies(x) and _varies(y)):
        return Estimate(reason="norm and margin order the units as it does, or as the gap does")
    r = float(x @ y) / math.sqrt(float(x @ x) * float(y @ y))
    freedom = len(x) - len(set(strata)) - axes.shape[1] - 2
    if freedom < 2 or abs(r) >= 1:
        return Estimate(r)
    half = 1.959964 / math.sqrt(freedom)
    return Estimate(r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half))


def _log_e(slope: Slope) -> float:
    """Two-sided: the same mixture lies behind both sides."""
    other = Slope(slope.n, slope.strata, slope.xx, -slope.xy, slope.yy)
    return max(slope.log_evidence(0.0), other.log_evidence(0.0))


def _correlation(value: float, low: float, high: float) -> Estimate:
    if not (math.isfinite(low) and math.isfinite(high)):
        return Estimate(value)
    return Estimate(value, max(low, -1.0), min(high, 1.0))


def _unless(reason: str, found: Estimate) -> Estimate:
    return Estimate(reason=reason) if reason else found


def _varies(values: Array) -> bool:
    return bool(float(values @ values) > 1e-9 * max(1, len(values)))
