"""Mean curves over compression with their 95 % bands."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from study.answer.units import row_units
from study.answer.words import plural
from trainables.statistics import mean_ci95

_POINTS = 33
_Curve = tuple[list[float], list[float]]


@dataclass(frozen=True)
class MeanCurve:
    """The mean of several curves on a common grid of log2 ratios.

    Attributes:
        x: [points] log2 compression ratio.
        mean: [points].
        half: [points] half width of the 95 % interval, NaN where there are fewer than 3 curves.
        single: The curves themselves: (name, log2 ratios, values), at their measured levels.
        unit: What one curve is: `trial`, or `dense cell` where trials share dense networks, or `network` where there
            is only one of them.
    """

    x: list[float]
    mean: list[float]
    half: list[float]
    single: list[tuple[str, list[float], list[float]]]
    unit: str

    @property
    def low(self) -> list[float]:
        """Lower end of the band."""
        return [mean - half for mean, half in zip(self.mean, self.half, strict=True)]

    @property
    def high(self) -> list[float]:
        """Upper end of the band."""
        return [mean + half for mean, half in zip(self.mean, self.half, strict=True)]

    @property
    def n(self) -> str:
        """`8 trials`."""
        return plural(len(self.single), self.unit)


def mean_curve(networks: pd.DataFrame, arm: str, value: str) -> MeanCurve | None:
    """The curve of an arm: networks averaged within trials, then trials averaged; None where nothing was recorded.

    What several instruments make of the same dense networks is averaged first.

    Args:
        networks: Rows of networks.parquet with the column `trial`.
        arm: Which networks.
        value: Column to average.
    Returns:
        The mean up to the ratio that all curves reach: beyond, it would be a mean of others.
    """
    if networks.empty or value not in networks.columns:
        return None
    mine = networks[networks["arm"] == arm]
    mine = mine.assign(**{value: pd.to_numeric(mine[value], errors="coerce")}).dropna(subset=[value, "ratio"])
    if mine.empty:
        return None
    unit, names = row_units(mine)
    means = mine.groupby([names, "trial", "level"])[["ratio", value]].mean().reset_index()
    starts = np.flatnonzero(~means[["unit", "trial"]].duplicated())
    ratios, values = (np.split(means[name].to_numpy(dtype=float), starts[1:]) for name in ("ratio", value))
    curves: dict[str, list[_Curve]] = {}
    for name, ratio, y in zip(means["unit"].iloc[starts], ratios, values, strict=True):
        x = np.maximum.accumulate(np.log2(ratio))
        curves.setdefault(f"{unit} {name}".replace("dense cell cell", "cell"), []).append((x.tolist(), y.tolist()))
    every = [curve for found in curves.values() for curve in found]
    start, end = max(x[0] for x, _ in every), min(x[-1] for x, _ in every)
    if end <= start:
        return None
    grid = np.linspace(start, end, _POINTS)
    table = np.array([np.mean([np.interp(grid, x, y) for x, y in found], axis=0) for found in curves.values()])
    columns = [_mean(table[:, point]) for point in range(_POINTS)]
    single = [
        (name, *found[0]) if len(found) == 1 else (name, grid.tolist(), mean.tolist())
        for (name, found), mean in zip(curves.items(), table, strict=True)
    ]
    return MeanCurve(grid.tolist(), [m for m, _ in columns], [h for _, h in columns], single, unit)


def level_means(rows: pd.DataFrame, value: str) -> Iterator[tuple[int, float, float | None, str]]:
    """Level, mean over units, half of its 95 % interval (None for too few) and over what, e.g. `8 trials`.

    Args:
        rows: Of networks.parquet with the column `trial`, of one arm; those that lack the value count for nothing.
    """
    unit, names = row_units(rows)
    for level, there in rows.dropna(subset=[value]).groupby("level"):
        mean, half, n = mean_ci95(there[value].groupby(names.loc[there.index]).mean().tolist())
        yield int(str(level)), mean, half, plural(n, unit)


def ratio_title(networks: pd.DataFrame) -> str:
    """What the curves' ratio is: of parameters, or of description lengths where it is those."""
    if "parameter_ratio" in networks.columns:
        gaps = pd.to_numeric(networks["ratio"], errors="coerce") - pd.to_numeric(
            networks["parameter_ratio"], errors="coerce"
        )
        if bool((gaps.abs() > 1e-9).any()):
            return "compression ratio (bits of the description ÷ bits left)"
    return "compression ratio (parameters ÷ kept)"


def reach(networks: pd.DataFrame) -> float:
    """Largest log2 ratio measured, at least 1."""
    ratios = pd.to_numeric(networks["ratio"], errors="coerce") if "ratio" in networks.columns else pd.Series([2.0])
    top = float(ratios.max()) if ratios.notna().any() else 2.0
    return max(math.log2(top), 1.0) if top > 0 else 1.0


def _mean(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return math.nan, math.nan
    mean, half, _ = mean_ci95(finite)
    return mean, math.nan if half is None else half
