"""From a claim and the trials under one condition to the samples that are tested, in the units that were planned."""

import itertools
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from search_spaces.claims import Claim
from search_spaces.quantities import Association, Between, Bounds, Metric, Order, Setting, Share, Value, atoms, bounds
from search_spaces.quantities import Slope as SlopeQuantity
from search_spaces.space import SearchSpace
from search_spaces.spanned import Choices
from study.answer.claim_values import matching, network_values, trial_values, why_undefined
from study.answer.evidence import Scale
from study.answer.pairs import network_areas
from study.answer.samples import MeanSample, Sample, SlopeSample, UnpairedSample
from study.answer.selection import is_continuous, numbers, short
from study.answer.strata import LEAST_PAIRS, has_comparable_gap, pairs_within, strata_fields, strata_labels
from study.answer.units import average_instruments, per_unit, unit_word, units
from study.answer.value_words import label
from study.answer.words import plural

FEWEST_UNITS = 3
NETWORK = "network"


@dataclass(frozen=True)
class Frames:
    """A study's counted trials and their networks."""

    trials: pd.DataFrame
    networks: pd.DataFrame

    @cached_property
    def areas(self) -> pd.DataFrame:
        """Compressibility of each network."""
        return network_areas(self.trials, self.networks)


@dataclass(frozen=True)
class ClaimSamples:
    """The samples of a claim under one condition: several for an order, else one; and why units are missing.

    `by_unit` has the values of single units by their names, so that conditions that met the same ones can be paired.
    """

    samples: tuple[Sample, ...]
    excluded: dict[str, int] = field(default_factory=dict)
    reason: str = ""
    by_unit: pd.Series | None = None


def settings_by(claim: Claim, space: SearchSpace) -> list[Setting]:
    """The conditions that a claim is decided for, pooled apart; [] where it is for all at once only."""
    lists = []
    for name in claim.by:
        choice = space.span.get(name)
        values = choice.values if isinstance(choice, Choices) else ()
        lists.append([(name, v) for v in values if v in claim.where.get(name, (v,))])
    return [dict(pairs) for pairs in itertools.product(*lists)] if lists else []


def condition_label(setting: Setting) -> str:
    """`noise 0.5, criterion random`, `uniform noise`."""
    words = {
        name: f"{value:g}" if isinstance(value, float) else label((str(value),)) for name, value in setting.items()
    }
    return ", ".join(
        word if word != str(setting[name]) and isinstance(setting[name], str) else f"{short(name)} {word}"
        for name, word in words.items()
    )


def planned_units(claim: Claim, plan: pd.DataFrame) -> int:
    """Dense trainings that the plan has for a claim under one condition: the fewest of the settings it compares."""
    names = units(plan)
    quantity = claim.quantity
    sides = quantity.settings if isinstance(quantity, Order) else ()
    if isinstance(quantity, Between):
        sides = (quantity.first, quantity.second)
    return min((names[matching(plan, setting)].nunique() for setting in sides), default=names.nunique())


def draw(claim: Claim, trials: pd.DataFrame, frames: Frames, *, by_network: bool, resolution: float) -> ClaimSamples:
    """The samples of a claim among `trials`.

    Args:
        by_network: Whether so few units are planned that networks stand for them.
        resolution: The step of a share of examples: one of the smallest split.
    """
    quantity = claim.quantity
    draw_one = _Drawing(trials, frames, by_network=by_network, resolution=resolution)
    if isinstance(quantity, Association):
        return draw_one.association(quantity)
    if isinstance(quantity, SlopeQuantity):
        return draw_one.slope(quantity)
    if isinstance(quantity, Between):
        return draw_one.between(quantity.of, (quantity.first, quantity.second))
    if isinstance(quantity, Order):
        return draw_one.between(quantity.of, quantity.settings)
    if isinstance(quantity, Share):
        return draw_one.share(quantity)
    values, at, excluded = draw_one.units_of(quantity, trials)
    return ClaimSamples(
        (MeanSample(values.to_numpy(), at, draw_one.scale(bounds(quantity))),), excluded, by_unit=values
    )


class _Drawing:
    def __init__(self, trials: pd.DataFrame, frames: Frames, *, by_network: bool, resolution: float) -> None:
        self._trials, self._frames, self._by_network, self._resolution = trials, frames, by_network, resolution

    def scale(self, known: Bounds | None) -> Scale:
        """The bounds of a value and the least step between two of its numbers; no step where it has no bounds."""
        return Scale(known, self._resolution if known is not None else 0.0)

    def units_of(self, value: Value, trials: pd.DataFrame) -> tuple[pd.Series, list[int], dict[str, int]]:
        """Values in order, indexed by unit (or unit and network); their last trials; what is missing."""
        if trials.empty:
            return pd.Series(dtype=float), [], {}
        names = units(trials)
        last = trials["number"].astype(int).groupby(names).max()
        if self._by_network:
            values = network_values(value, trials, self._frames.networks, self._frames.areas)
            left_out = values.isna().sum()
            missing: Mapping[Hashable, int] = {"undefined": int(left_out)} if left_out else {}
            values = values.dropna()
            order = pd.Series(last.loc[values.index.get_level_values(0)].to_numpy(), index=values.index)
        else:
            rows = trials.assign(_held=trial_values(value, trials, self._frames.networks))
            values = per_unit(rows, "_held")
            values.index = pd.Index(names.loc[values.index].to_numpy())
            lacking = trials[~names.isin(values.index)]
            first = lacking[~names.loc[lacking.index].duplicated()]
            missing = why_undefined(value, first).value_counts().to_dict()
            order = last.loc[values.index]
        order = order.sort_values(kind="stable")
        return values.loc[order.index], order.tolist(), {str(why): int(count) for why, count in missing.items()}

    def share(self, quantity: Share) -> ClaimSamples:
        """Yes or no of each unit: whether its value lies above the quantity's."""
        values, at, excluded = self.units_of(quantity.of, self._trials)
        yes = np.asarray(values > quantity.above, dtype=np.float64)
        return ClaimSamples((MeanSample(yes, at, Scale((0.0, 1.0), 0.0, is_share=True)),), excluded)

    def between(self, value: Value, settings: tuple[Setting, ...]) -> ClaimSamples:
        """A sample of differences for each two neighbouring settings."""
        sides: list[tuple[pd.Series, list[int]]] = []
        excluded: Counter[str] = Counter()
        for setting in settings:
            values, at, missing = self.units_of(value, self._trials[matching(self._trials, setting)])
            sides.append((values, at))
            excluded.update(missing)
        pairs = [self._difference(first, second, bounds(value)) for first, second in itertools.pairwise(sides)]
        return ClaimSamples(tuple(pairs), dict(excluded))

    def _difference(self, first: tuple[pd.Series, list[int]], second: tuple[pd.Series, list[int]],
                    known: Bounds | None) -> MeanSample:  # fmt: skip
        """Paired where both sides met the same dense networks."""
        width = None if known is None else known[1] - known[0]
        scale = self.scale(None if width is None else (-width, width))
        common = first[0].index.intersection(second[0].index, sort=False)
        if len(common):
            values = (first[0].loc[common] - second[0].loc[common]).to_numpy()
            latest = [max(pair) for pair in zip(_when(first, common), _when(second, common), strict=True)]
            order = np.argsort(latest, kind="stable")
            return MeanSample(values[order], [latest[place] for place in order], scale)
        count = min(len(first[1]), len(second[1]))
        values = first[0].to_numpy()[:count] - second[0].to_numpy()[:count]
        latest = np.maximum(first[1][:count], second[1][:count]).tolist() if count else []
        return UnpairedSample(values, latest, scale, first=first[0].to_numpy(), second=second[0].to_numpy())

    def association(self, quantity: Association) -> ClaimSamples:
        """Both values of each unit, and its stratum."""
        both = self._trials.assign(
            _x=trial_values(quantity.first, self._trials, self._frames.networks),
            _y=trial_values(quantity.second, self._trials, self._frames.networks),
        )
        both = average_instruments(both, "_x", "_y") if len(both) else both
        has_both = both["_x"].notna() & both["_y"].notna()
        excluded = {"undefined": int((~has_both).sum())}
        rows = both[has_both]
        if len(rows) and any(_is_gap(part) for v in (quantity.first, quantity.second) for part in atoms(v)):
            comparable = has_comparable_gap(rows)
            excluded["its gap compares with no other’s"] = int((~comparable).sum())
            rows = rows[comparable]
        rows = rows.sort_values("number")
        strata = strata_labels(rows) if len(rows) else []
        noise = numbers(rows, "data.label_noise")
        driving = noise.to_numpy() if is_continuous(noise) and bool(noise.notna().all()) else None
        at = rows["number"].astype(int).tolist()
        sample = SlopeSample(rows["_x"].to_numpy(), rows["_y"].to_numpy(), strata, at, conditions=driving)
        reason = _lacking(sample, len(rows), excluded)
        if not reason and (pairs := pairs_within(strata)) < LEAST_PAIRS:
            reason = f"{pairs} pairs of units that may be compared, {LEAST_PAIRS} are needed"
        return ClaimSamples((sample,), {why: n for why, n in excluded.items() if n}, reason)

    def slope(self, quantity: SlopeQuantity) -> ClaimSamples:
        """A value of each unit against an ordered field, in strata of all other fields."""
        all_rows = self._trials.assign(_y=trial_values(quantity.of, self._trials, self._frames.networks))
        all_rows = average_instruments(all_rows, "_y") if len(all_rows) else all_rows
        rows = all_rows[all_rows["_y"].notna()].sort_values("number")
        x, logs = numbers(rows, quantity.over).to_numpy(), quantity.scale == "log"
        fields = [name for name in strata_fields(rows) if name != quantity.over] if len(rows) else []
        strata = [tuple(map(str, row)) for row in rows[fields].to_numpy().tolist()] if fields else [()] * len(rows)
        x = np.log2(x) if logs else x
        at = rows["number"].astype(int).tolist()
        sample = SlopeSample(x, rows["_y"].to_numpy(), strata, at, (not logs, not logs))
        excluded = {"undefined": len(all_rows) - len(rows)} if len(all_rows) > len(rows) else {}
        return ClaimSamples((sample,), excluded, _lacking(sample, len(rows), excluded))


def _when(side: tuple[pd.Series, list[int]], shared: pd.Index) -> list[int]:
    """With which trial each of the shared units was there."""
    times = pd.Series(side[1], index=side[0].index)
    return [int(at) for at in times.loc[shared]]


def _lacking(sample: SlopeSample, n: int, excluded: dict[str, int]) -> str:
    if n >= 2 and sample.total.xx > 0 and sample.total.yy > 0:
        return ""
    left_out = ", ".join(f"{count} left out: {why}" for why, count in excluded.items() if count)
    if n < 2:
        return f"{plural(n, 'unit')} with both values, 2 are needed" + (f" ({left_out})" if left_out else "")
    return "one of the two values is the same in all units of each stratum"


def _is_gap(part: object) -> bool:
    return isinstance(part, Metric) and part.metric.startswith("gap/")


def unit_of(trials: pd.DataFrame, *, by_network: bool) -> str:
    """What a unit is called."""
    return NETWORK if by_network else unit_word(trials) if len(trials) else "trial"


def resolution_of(trials: pd.DataFrame) -> float:
    """One example of the smallest split that the trials name; 1/10,000 where they name none."""
    sizes = [
        int(part)
        for text in (trials["data.split"].dropna().astype(str).unique() if "data.split" in trials.columns else ())
        for part in text.split("+")
        if part.isdecimal() and int(part)
    ]
    return 1 / min(sizes) if sizes else 1e-4
