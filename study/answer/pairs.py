"""Per-network compressibility recomputed from the stored curves, and the pairs of twins."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from study.answer.curves import curves_of
from study.answer.selection import numbers, task_of
from study.answer.units import units

_TIE = 1e-9  # two areas closer than this are the same number up to rounding


@dataclass(frozen=True)
class Pairs:
    """How often the noisy network of a pair broke earlier than its clean twin (smaller area under the curve)."""

    earlier: int = 0
    later: int = 0
    ties: int = 0
    excluded_count: int = 0

    @property
    def total(self) -> int:
        """Pairs compared."""
        return self.earlier + self.later + self.ties


def network_areas(trials: pd.DataFrame, networks: pd.DataFrame, part: str = "train") -> pd.DataFrame:
    """One row per trial, arm and network: `auc` (NaN where undefined) and `interpolated`.

    Args:
        trials: One row per trial, which says how far (L) the area goes.
        networks: One row per trial, arm, network and level.
        part: The curve: the score on all training labels as given (`train`), or on those `kept` or `changed`.
    """
    lengths = area_lengths(trials, networks)
    mine = networks[networks["trial"].isin(lengths)] if len(networks) else networks
    curves = curves_of(mine, f"{part}_{task_of(networks).score}")
    areas = curves.areas(curves.limits(lengths))
    return curves.keys.assign(interpolated=curves.interpolated_mask, auc=areas)


def area_lengths(trials: pd.DataFrame, networks: pd.DataFrame) -> dict[int, float]:
    """Trial number → L, the log2 compression ratio up to which the area is taken.

    L is what the trial recorded, else what its configuration says, else (a study of `rate` that fixed none) the
    smallest that any of the trials reached.
    """
    stated = numbers(trials, "compressibility/log2_ratio_limit").fillna(numbers(trials, "compression.auc_log2_ratio"))
    stated = stated.fillna(np.log2(numbers(trials, "compression.target_ratio")))
    numbered = dict(zip(trials["number"].astype(int), stated.tolist(), strict=True))
    if networks.empty:
        return {}
    reached = networks[networks["trial"].isin(numbered)].groupby("trial")["ratio"].max()
    common = float(np.log2(reached.min())) if len(reached) else math.nan
    lengths = {number: value if math.isfinite(value) else common for number, value in numbered.items()}
    return {number: value for number, value in lengths.items() if math.isfinite(value) and value > 0}


def count_pairs(areas: pd.DataFrame, trials: pd.DataFrame) -> Pairs:
    """Counts the pairs (replicate, control) of some trials; one that several instruments met counts once, averaged."""
    both = _twins(areas, trials["number"])
    fitted = both[_both_interpolate(both)]
    difference = (fitted["auc_control"] - fitted["auc"]).astype(float).dropna()
    unit = dict(zip(trials["number"], units(trials), strict=True))
    difference = difference.groupby([fitted["trial"].map(unit), fitted["network"]]).mean().dropna()
    there = both.groupby([both["trial"].map(unit), both["network"]]).ngroups
    ties = int((difference.abs() <= _TIE).sum())
    earlier = int((difference > _TIE).sum())
    return Pairs(earlier, len(difference) - ties - earlier, ties, there - len(difference))


def _twins(areas: pd.DataFrame, trial_numbers: Any) -> pd.DataFrame:
    """One row a pair; columns of the control end in `_control`."""
    mine = areas[areas["trial"].isin(list(trial_numbers))]
    noisy, clean = mine[mine["arm"] == "replicate"], mine[mine["arm"] == "control"]
    return noisy.merge(clean, on=["trial", "network"], suffixes=("", "_control"))


def _both_interpolate(twins: pd.DataFrame) -> pd.Series:
    return twins["interpolated"].astype(bool) & twins["interpolated_control"].astype(bool)
