"""Mean curves over compression with their 95 % bands."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from study.answer.words import plural
from trainables.statistics import mean_ci95

_POINTS = 33


@dataclass(frozen=True)
class MeanCurve:
    """The mean of several curves on a common grid of log2 ratios.

    Attributes:
        x: [points] log2 compression ratio.
        mean: [points].
        half: [points] half width of the 95 % interval, NaN where there are fewer than 3 curves.
        single: The curves themselves: (name, log2 ratios, values), at their measured levels.
        unit: What one curve is: `trial`, or `network` where there is only one trial.
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
    unit = "trial" if mine["trial"].nunique() > 1 else "network"
    means = mine.groupby([unit, "level"])[["ratio", value]].mean().reset_index()
    single = []
    for name, rows in means.groupby(unit, sort=True):
        x = np.maximum.accumulate(np.log2(rows["ratio"].to_numpy(dtype=float)))
        single.append((f"{unit} {name}", x.tolist(), rows[value].astype(float).tolist()))
    start, end = max(x[0] for _, x, _ in single), min(x[-1] for _, x, _ in single)
    if end <= start:
        return None
    grid = np.linspace(start, end, _POINTS)
    table = np.array([np.interp(grid, x, y) for _, x, y in single])
    columns = [_mean(table[:, point]) for point in range(_POINTS)]
    return MeanCurve(grid.tolist(), [m for m, _ in columns], [h for _, h in columns], single, unit)


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
