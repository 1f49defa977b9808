"""The stored curves of all networks as matrices: their areas and crossings, thousands at once.

The same numbers as `trainables.compressibility` computes curve by curve, of which the definitions are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from study.answer.evidence import Array
from study.answer.selection import numbers
from trainables.compressibility import ROUNDING, has_fit

CURVE = ["trial", "arm", "network"]


@dataclass(frozen=True)
class Curves:
    """Score against log₂ ratio of n networks at m levels; what is shorter ends with its last level repeated.

    Attributes:
        keys: [n] rows: trial, arm, network.
        log2_ratio: [n, m], never falling.
        score: [n, m].
        chance: [n].
        interpolated_mask: [n] bool.
        complete: [n] bool: whether it starts with the dense network and has all its scores.
    """

    keys: pd.DataFrame
    log2_ratio: Array
    score: Array
    chance: Array
    interpolated_mask: npt.NDArray[np.bool_]
    complete: npt.NDArray[np.bool_]

    @property
    def shares_left(self) -> Array:
        """[n, m] share of the dense score above chance that is left, 0 … 1; NaN of a network that did not fit."""
        dense = self.score[:, :1]
        chance = self.chance[:, None]
        sound = self.complete[:, None] & (chance < 1) & has_fit(dense, chance)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.clip((self.score - chance) / (dense - chance), 0.0, 1.0)
        found: Array = np.where(sound, share, np.nan)
        return found

    def limits(self, lengths: Mapping[int, float]) -> Array:
        """[n] what is known of each curve's trial."""
        return np.array([lengths[int(trial)] for trial in self.keys["trial"]], dtype=np.float64)

    def areas(self, limits: Array) -> Array:
        """[n] the mean of that share over log₂ ratio from 0 to each limit, by trapezoids; NaN where it has none."""
        if not len(self.keys):
            return np.zeros(0)
        values, ends = self.shares_left, limits[:, None]
        start, stop = np.minimum(self.log2_ratio[:, :-1], ends), np.minimum(self.log2_ratio[:, 1:], ends)
        width = self.log2_ratio[:, 1:] - self.log2_ratio[:, :-1]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(width > 0, (stop - start) / width, 0.0)
            left, right = values[:, :-1], values[:, :-1] + (values[:, 1:] - values[:, :-1]) * part
            found = ((stop - start) * (left + right) / 2).sum(axis=1) / limits
        reaches = (self.log2_ratio[:, -1] >= limits - ROUNDING) & (limits > 0)
        areas: Array = np.where(reaches, found, np.nan)
        return areas

    def crossings(self, share: float) -> Array:
        """[n] log₂ of the first ratio, interpolated, where less than `share` is left; the last one if that never is."""
        values = self.shares_left
        below = values < share
        after = below.argmax(axis=1)
        rows = np.arange(len(values))
        before = np.maximum(after - 1, 0)
        high, low = values[rows, before], values[rows, after]
        with np.errstate(invalid="ignore", divide="ignore"):
            step = (high - share) / (high - low)
            first, second = self.log2_ratio[rows, before], self.log2_ratio[rows, after]
            found = np.where(below.any(axis=1), first + step * (second - first), self.log2_ratio[:, -1])
        crossings: Array = np.where(np.isnan(values[:, 0]), np.nan, found)
        return crossings


def curves_of(networks: pd.DataFrame, score: str) -> Curves:
    """The curves of all networks in a frame.

    Args:
        networks: One row per trial, arm, network and level; may be empty.
        score: The column that is drawn against the ratio.
    """
    if networks.empty or score not in networks.columns:
        nothing = np.zeros((0, 1))
        none = np.zeros(0, dtype=bool)
        return Curves(pd.DataFrame(columns=CURVE), nothing, nothing, np.zeros(0), none, none)
    rows = _with_dense_scratch(networks).sort_values([*CURVE, "level"], kind="stable").reset_index(drop=True)
    curve = rows.groupby(CURVE, sort=False).ngroup().to_numpy()
    place = rows.groupby(CURVE, sort=False).cumcount().to_numpy()
    shape = (int(curve.max()) + 1, int(place.max()) + 1)
    ratio, values = np.full(shape, np.nan), np.full(shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio[curve, place] = np.log2(numbers(rows, "ratio").to_numpy())
    values[curve, place] = numbers(rows, score).to_numpy()
    last = np.zeros(shape[0], dtype=np.int64)
    np.maximum.at(last, curve, place)
    inside = np.arange(shape[1])[None] <= last[:, None]
    first = rows[place == 0]
    chance = numbers(first, "chance").to_numpy()
    complete = (first["level"].to_numpy() == 0) & np.isfinite(chance)
    complete &= (np.isfinite(values) & np.isfinite(ratio) | ~inside).all(axis=1)
    ends = np.arange(shape[0])
    ratio = np.where(inside, ratio, ratio[ends, last][:, None])
    values = np.where(inside, values, values[ends, last][:, None])
    keys = first[CURVE].reset_index(drop=True)
    interpolated = first["interpolated"].astype(bool).to_numpy()
    return Curves(keys, np.maximum.accumulate(ratio, axis=1), values, chance, interpolated, complete)


def _with_dense_scratch(networks: pd.DataFrame) -> pd.DataFrame:
    """Gives the curve of a scratch arm, which only exists below the dense size, the dense network it stands beside."""
    scratch = networks[networks["arm"].str.startswith("scratch_")]
    if scratch.empty:
        return networks
    dense = networks[(networks["level"] == 0) & ~networks["arm"].str.startswith("scratch_")]
    dense = dense.assign(arm="scratch_" + dense["arm"])
    lacking = scratch.groupby(CURVE)["level"].min().loc[lambda level: level > 0].reset_index()[CURVE]
    return pd.concat([networks, dense.merge(lacking, on=CURVE)], ignore_index=True)
