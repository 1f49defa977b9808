"""The dense trainings of one or several studies, with what was measured of each beside its generalization gap."""

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from study.answer.evidence import Array
from study.answer.measured import PREFIX
from study.answer.pairwise import Codes, encode_values
from study.answer.selection import CONDITIONS, counted_trials, is_continuous, numbers, short, varying
from study.answer.strata import COMPRESSIBILITY, gap_metric, has_comparable_gap, strata_fields
from study.answer.units import average_instruments

_OF_NETWORKS = ("model.", "training.", "data.")
_NO_AXIS = (*CONDITIONS, "data.name")
UNDEFINED, INCOMPARABLE = "undefined", "its gap compares with no other’s"


@dataclass(frozen=True)
class Units:
    """Independent dense trainings, in the order of their trials.

    Attributes:
        names: Of the measures, e.g. `norms/path`.
        values: [measures, n]: means over a training's networks, NaN where undefined.
        gap: [n].
        studies: [n] codes.
        strata: [n]: study, condition and instrument; only units of one stratum are compared.
        within: The fields that make strata, in words.
        fields: Spanned field → [n] codes of its values.
        training: Those of `fields` that say how dense networks are made.
        noise: [n] label noise where it is a continuous range, so that no stratum fixes it; NaN elsewhere.
        excluded: Why trainings are left out → how many.
    """

    names: tuple[str, ...]
    values: Array
    gap: Array
    studies: Codes
    strata: tuple[Hashable, ...]
    within: tuple[str, ...] = ()
    fields: Mapping[str, Codes] = field(default_factory=dict)
    training: tuple[str, ...] = ()
    noise: Array = field(default_factory=lambda: np.zeros(0))
    excluded: Mapping[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.gap)

    @property
    def continuous(self) -> bool:
        """Whether label noise varies inside a stratum."""
        return bool(np.isfinite(self.noise).any())


def units_of(trials: pd.DataFrame, networks: pd.DataFrame) -> Units:
    """Those of a study: of its COMPLETE design trials with comparable gaps.

    Args:
        trials: All trials.
        networks: One row a trial, arm, network and level.
    """
    mine = counted_trials(trials) if len(trials) else trials
    columns = [str(name) for name in networks.columns if str(name).startswith(PREFIX)]
    names = (COMPRESSIBILITY, *(name.removeprefix(PREFIX) for name in columns))
    if mine.empty or "data.label_noise" not in mine.columns:
        return _no_units(names)
    gap = gap_metric(mine)
    rows = _with_measures(mine, networks, columns)
    rows = average_instruments(rows, gap, COMPRESSIBILITY, *columns).sort_values("number")
    defined, comparable = numbers(rows, gap).notna(), has_comparable_gap(rows)
    excluded = {UNDEFINED: int((~defined).sum()), INCOMPARABLE: int((defined & ~comparable).sum())}
    rows = rows[defined & comparable]
    if rows.empty:
        return _no_units(names, {why: count for why, count in excluded.items() if count})
    noise = numbers(rows, "data.label_noise")
    strata = strata_fields(rows)
    training = [name for prefix in _OF_NETWORKS for name in varying(rows, prefix) if name not in _NO_AXIS]
    return Units(
        names,
        np.stack([numbers(rows, name).to_numpy() for name in (COMPRESSIBILITY, *columns)]),
        numbers(rows, gap).to_numpy(),
        np.zeros(len(rows), dtype=np.int64),
        tuple(map(tuple, rows[strata].astype(str).to_numpy().tolist())),
        tuple(short(name) for name in strata),
        {name: encode_values(rows[name].tolist()) for name in dict.fromkeys((*strata, *training))},
        tuple(training),
        noise.to_numpy() if is_continuous(noise) else np.full(len(rows), np.nan),
        {why: count for why, count in excluded.items() if count},
    )


def merge_units(studies: Sequence[Units]) -> Units:
    """The units of several studies, each in strata of its own; a measure that a study has not taken is undefined there.

    A field that is spanned in one of them is one value in the others.
    """
    names = tuple(dict.fromkeys(itertools.chain.from_iterable(one.names for one in studies)))
    fields = tuple(dict.fromkeys(itertools.chain.from_iterable(one.fields for one in studies)))
    values = np.full((len(names), sum(one.n for one in studies)), np.nan)
    start = 0
    excluded: dict[str, int] = {}
    for one in studies:
        values[[names.index(name) for name in one.names], start : start + one.n] = one.values
        start += one.n
        for why, count in one.excluded.items():
            excluded[why] = excluded.get(why, 0) + count
    return Units(
        names,
        values,
        _join([one.gap for one in studies]),
        np.repeat(np.arange(len(studies)), [one.n for one in studies]),
        tuple((place, stratum) for place, one in enumerate(studies) for stratum in one.strata),
        tuple(dict.fromkeys(("study", *itertools.chain.from_iterable(one.within for one in studies)))),
        {
            name: np.concatenate([one.fields.get(name, np.zeros(one.n, dtype=np.int64)) for one in studies])
            for name in fields
        },
        tuple(dict.fromkeys(itertools.chain.from_iterable(one.training for one in studies))),
        _join([one.noise for one in studies]),
        excluded,
    )


def _join(parts: Sequence[Array]) -> Array:
    found: Array = np.concatenate([*parts, np.zeros(0)])
    return found


def _with_measures(trials: pd.DataFrame, networks: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Trials with the measures of their dense networks, averaged over those that have them."""
    if not columns:
        return trials
    dense = networks[(networks["level"] == 0) & (networks["arm"] == "replicate")]
    held = dense[columns].apply(pd.to_numeric, errors="coerce").astype(float)
    held = held.where(held.abs() < np.inf)
    means = held.groupby(dense["trial"]).mean()
    own = trials.drop(columns=columns, errors="ignore")
    found: pd.DataFrame = pd.concat([own, means.reindex(own["number"]).set_axis(own.index)], axis=1)
    return found


def _no_units(names: tuple[str, ...], excluded: Mapping[str, int] | None = None) -> Units:
    nobody = np.zeros(0)
    return Units(names, np.zeros((len(names), 0)), nobody, nobody.astype(np.int64), (), excluded=excluded or {})
