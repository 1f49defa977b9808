"""Distillation: whom the students follow on the transfer inputs, and what is left on the original data."""

import math

import pandas as pd

from study.answer.readings import AGREEMENT, TOP_SHARE
from study.answer.words import plural
from study.report.drawing import Drawing, Key, Swatch
from study.report.figure import Absent, Figure, Picture, sizes
from study.report.material import Facet, Material, numbers
from study.report.plot import Plot
from study.report.scales import Scale
from trainables.statistics import mean_ci95

_ARMS = {"control": ("clean", "clean twin"), "replicate": ("noisy", "noisy network")}
_SERIES: dict[str, tuple[Swatch, str]] = {
    "train_accuracy": ("line", "accuracy on the original data"),
    AGREEMENT: ("dash", "student agrees with its teacher on the transfer inputs"),
    TOP_SHARE: ("dots", "inputs to which the teacher gives its top class"),
}


def _draw(material: Material) -> Picture | Absent:
    if AGREEMENT not in material.networks.columns:
        return Absent("")
    panels, tables = [], []
    counts: dict[str, str] = {}
    for facet in material.facets:
        table = _table(facet)
        if not table.empty:
            panels.append(_panel(facet.label, table, material.panel_size))
            tables.append(table.drop(columns="look"))
            counts[facet.label] = str(table["over"].iloc[0])
    if not panels:
        return Absent("")
    caption = (
        "Each level fits smaller students to the outputs of the last level’s networks on the transfer inputs. Where a "
        "teacher gives nearly all of them one and the same class (dotted, near 1), a student agrees with it (dashed) "
        "without having learned anything, and accuracy on the original data (solid, training labels as given) falls "
        f"to chance. Means; values and 95 % intervals on hover and in the data. {sizes(counts)}."
    )
    legend = [Key("line", colour, name) for colour, name in _ARMS.values()]
    legend += [Key(look, "ink", words) for look, words in _SERIES.values()]
    return Picture(panels, caption, pd.concat(tables).drop(columns="tip"), legend, material.facet_columns)


def _table(facet: Facet) -> pd.DataFrame:
    """One row per arm, series and level: mean and interval over trials, over networks where there is one trial."""
    rows = []
    for arm, (colour, name) in _ARMS.items():
        mine = facet.networks[facet.networks["arm"] == arm]
        unit = "trial" if mine["trial"].nunique() > 1 else "network"
        for column, (look, words) in _SERIES.items():
            values = mine.assign(value=numbers(mine, column)).dropna(subset=["value"])
            for level, found in values.groupby("level"):
                means = found.groupby(unit)["value"].mean()
                mean, half, n = mean_ci95(means.tolist())
                rows.append(
                    {
                        "panel": facet.label,
                        "arm": colour,
                        "series": words,
                        "look": look,
                        "level": level,
                        "mean": mean,
                        "ci95": math.nan if half is None else half,
                        "over": plural(n, unit),
                        "tip": f"{name}, level {level}\n{words}: {mean:.3f}",
                    }
                )
    table = pd.DataFrame(rows)
    return table if not table.empty and (table["look"] != "line").any() else pd.DataFrame()


def _panel(label: str, table: pd.DataFrame, size: tuple[float, float]) -> Drawing:
    drawing = Drawing(*size, f"Agreement, top-class share and accuracy by level, {label}")
    depth = int(table["level"].max())
    plot = Plot(drawing, Scale(0.0, float(depth), 0, 1), Scale(0.0, 1.02, 0, 1))
    step = max(1, math.ceil(depth / 6))
    ticks = [float(level) for level in range(0, depth + 1, step)]
    plot.axes(label, "level of distillation", "share", x_ticks=ticks, y_ticks=[0, 0.25, 0.5, 0.75, 1.0])
    for (colour, look), rows in table.groupby(["arm", "look"], sort=False):
        xs, ys = rows["level"].astype(float).tolist(), rows["mean"].tolist()
        plot.line(xs, ys, str(colour), str(look))
        plot.targets(xs, ys, rows["tip"].tolist())
    return drawing


FIGURE = Figure("Whom do the students follow? Agreement on the transfer inputs, and what it is worth", 12, _draw)
