"""From frames to what a claim compares: one number a trial, or one a network where too few trials are planned."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from search_spaces.claims import Claim
from search_spaces.quantities import (
    AboveScratch,
    Arm,
    Difference,
    KeptOverChanged,
    Level,
    Metric,
    Setting,
    Twins,
    Value,
    atoms,
)
from study.answer.selection import column, conditions, numbers
from study.answer.units import units

_WHO = {"": "network", "control/": "clean twin"}
AUC, CONTRAST, RETAINED = "compressibility/auc", "contrast/auc", "contrast/retained"
ValuesByKey: TypeAlias = pd.Series
"""A number for each (unit, network)."""


def trial_values(value: Value, trials: pd.DataFrame, networks: pd.DataFrame) -> pd.Series:
    """The value in each trial, indexed as `trials`; NaN where it is undefined."""
    if isinstance(value, Difference):
        return trial_values(value.first, trials, networks) - trial_values(value.second, trials, networks)
    if isinstance(value, Level):
        means = _at_level(value, networks).groupby(level=0).mean()
        return trials["number"].map(means).astype(float)
    first, second = metrics_of(value)
    return _finite(numbers(trials, first) - (numbers(trials, second) if second else 0.0))


def metrics_of(value: Metric | Twins | AboveScratch | KeptOverChanged) -> tuple[str, str]:
    """The metric of trials that the value is and "", or the two whose difference it is."""
    name = value.metric
    if isinstance(value, Metric):
        return name, ""
    if isinstance(value, Twins):
        return (CONTRAST, "") if name == AUC else (f"control/{name}", name)
    if isinstance(value, AboveScratch):
        return name, "baseline/scratch_auc" if name == AUC else f"baseline/{name}"
    part, _, score = name.rpartition("/")
    return ("compressibility/selectivity", "") if name == AUC else (f"{part}/kept_{score}", f"{part}/changed_{score}")


def why_undefined(value: Value, trials: pd.DataFrame) -> pd.Series:
    """For each trial in which the value is undefined why it is, as far as its metrics tell."""
    reasons = pd.Series("undefined", index=trials.index)
    names = [part.metric for part in atoms(value) if not isinstance(part, Level)]
    if any("auc" in name or name.startswith("contrast/") for name in names):
        why = "a curve that ends before the ratio up to which it counts, or starts too near chance"
        reasons = reasons.mask(numbers(trials, "train/interpolated").notna(), why)
    arms = ("", "control/") if any(compares_arms(part) for part in atoms(value)) else ("",)
    for arm in arms:
        reasons = reasons.mask(numbers(trials, f"{arm}train/interpolated") == 0, f"no {_WHO[arm]} fitted its labels")
    fitted, twins = numbers(trials, "train/interpolated"), numbers(trials, "control/train/interpolated")
    return reasons.mask(fitted.notna() & twins.isna() & (len(arms) > 1), "no clean twins")


def network_values(value: Value, trials: pd.DataFrame, networks: pd.DataFrame, areas: pd.DataFrame) -> ValuesByKey:
    """The value in each network of each dense training, its trials averaged; NaN where it is not known of networks."""
    found = _of_networks(value, networks[networks["trial"].isin(trials["number"])], areas)
    unit = dict(zip(trials["number"], units(trials), strict=True))
    found = found[found.index.get_level_values(0).isin(unit)]
    keys = [found.index.get_level_values(0).map(unit), found.index.get_level_values(1)]
    return found.groupby(keys, sort=False).mean()


def reads_networks(claims: Sequence[Claim]) -> bool:
    """Whether some value is a column of networks and no metric of trials."""
    return any(isinstance(part, Level) for claim in claims for value in claim.values for part in atoms(value))


def matching(trials: pd.DataFrame, setting: Setting) -> pd.Series:
    """Which trials have a setting."""
    there = pd.Series(True, index=trials.index)
    for name, value in setting.items():
        there &= column(trials, name).map(lambda cell, value=value: is_value(cell, value)).astype(bool)
    return there


def is_value(cell: object, value: object) -> bool:
    """Whether a cell of a frame is the value: 1 and 1.0 are, 1 and true are not; an absent one is none."""
    if isinstance(cell, float) and math.isnan(cell):
        cell = None
    if isinstance(cell, np.generic):
        cell = cell.item()
    return cell == value and isinstance(cell, bool) == isinstance(value, bool)


def trials_of_claim(claim: Claim, trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that a claim is about.

    Those in which nothing had to be memorised (placebo conditions) count for claims only where a study has no others;
    clean data have no twins.
    """
    for name, values in claim.where.items():
        if len(trials):
            cells = column(trials, name)
            trials = trials[[any(is_value(cell, value) for value in values) for cell in cells]]
    if not len(trials) or not compares_twins(claim):
        return trials
    groups = conditions(trials)
    real = [group for group in groups if not group.placebo]
    kept = groups if claim.role == "placebo" or not real else real
    return trials.loc[sorted(index for group in kept for index in group.trials.index)]


def compares_twins(claim: Claim) -> bool:
    """Whether it is about what noise does to a network, which needs some."""
    parts = [part for value in claim.values for part in atoms(value)]
    return any(isinstance(part, KeptOverChanged) or compares_arms(part) for part in parts)


def compares_arms(part: Metric | Level | Twins | AboveScratch | KeptOverChanged) -> bool:
    """Whether clean twins are looked at."""
    return (
        isinstance(part, Twins)
        or (isinstance(part, Metric) and part.metric.startswith(("contrast/", "control/")))
        or (isinstance(part, Level) and "control" in part.arm)
    )


def _of_networks(value: Value, networks: pd.DataFrame, areas: pd.DataFrame) -> ValuesByKey:
    if isinstance(value, Difference):
        return _of_networks(value.first, networks, areas) - _of_networks(value.second, networks, areas)
    if isinstance(value, Level):
        return _at_level(value, networks)
    if isinstance(value, AboveScratch | KeptOverChanged):
        known = isinstance(value, AboveScratch) and value.metric == AUC
        return _area(areas, "replicate") - _area(areas, "scratch_replicate") if known else _absent(networks)
    first, second = metrics_of(value)
    return _metric(first, networks, areas) - (_metric(second, networks, areas) if second else 0.0)


def _metric(name: str, networks: pd.DataFrame, areas: pd.DataFrame) -> ValuesByKey:
    """A metric as each network has it: of the summary recomputed from its curve, of dense networks from its row."""
    if name == AUC:
        return _area(areas, "replicate")
    if name in (CONTRAST, RETAINED):
        clean, noisy = _area(areas, "control"), _area(areas, "replicate")
        if name == RETAINED:
            clean, noisy = clean - _area(areas, "scratch_control"), noisy - _area(areas, "scratch_replicate")
        return (clean - noisy).where(_both_fit(areas))
    arm: Arm = "control" if name.startswith("control/") else "replicate"
    part, _, score = name.removeprefix("control/").partition("/")
    splits = ("train", "test") if part == "gap" else (part,)
    both = [_at_level(Level(column=f"{split}_{score}", level=0, arm=arm), networks) for split in splits]
    return both[0] - both[1] if len(both) == 2 else both[0]


def _at_level(value: Level, networks: pd.DataFrame) -> ValuesByKey:
    """A column at one level: a number for each (trial, network)."""
    if value.column not in networks.columns or "arm" not in networks.columns:
        return _absent(networks)
    mine = networks[networks["arm"] == value.arm]
    key = ["trial", "network"]
    if value.ratio is not None:
        mine = mine[numbers(mine, "ratio") >= value.ratio * (1 - 1e-9)].sort_values("level").drop_duplicates(key)
    elif value.level is not None and value.level < 0:
        deepest = mine.groupby(key)["level"].transform("max")
        mine = mine[mine["level"] == deepest + 1 + value.level]
    else:
        mine = mine[mine["level"] == value.level]
    found = _finite(numbers(mine, value.column))
    return pd.Series(found.to_numpy(), index=pd.MultiIndex.from_frame(mine[key]), dtype=float)


def _area(areas: pd.DataFrame, arm: str) -> ValuesByKey:
    mine = areas[areas["arm"] == arm]
    index = pd.MultiIndex.from_frame(mine[["trial", "network"]])
    return pd.Series(mine["auc"].to_numpy(dtype=float), index=index, dtype=float)


def _both_fit(areas: pd.DataFrame) -> ValuesByKey:
    """Whether both twins of each pair interpolated."""
    twins = areas[areas["arm"].isin(("replicate", "control"))]
    both: pd.Series = twins.groupby(["trial", "network"])["interpolated"].all()
    return both.astype(bool)


def _absent(networks: pd.DataFrame) -> ValuesByKey:
    if "network" not in networks.columns:
        return pd.Series(dtype=float, index=pd.MultiIndex.from_arrays([[], []], names=["trial", "network"]))
    keys = networks[["trial", "network"]].drop_duplicates()
    return pd.Series(math.nan, index=pd.MultiIndex.from_frame(keys), dtype=float)


def _finite(values: pd.Series) -> pd.Series:
    return values.where(values.abs() < math.inf)
