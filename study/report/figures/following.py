"""Distillation: whom the students follow on the transfer inputs, and what is left on the original data."""

import math
from collections.abc import Mapping

import pandas as pd

from study.report.curves import level_means
from study.report.drawing import Drawing, Key, Swatch
from study.report.figure import Absent, Figure, Picture, sizes
from study.report.material import Facet, Material, numbers
from study.report.plot import Plot
from study.report.scales import Scale
from trainables.data.task import Task

AGREEMENT, TOP_SHARE = "transfer_agreement", "teacher_top_class_share"
_ARMS = {"control": ("clean", "clean twin"), "replicate": ("noisy", "noisy network")}
_WORDS_OF_CLASSES = (
    "Where a teacher gives nearly all of them one and the same class (dotted, near 1), a student agrees with it "
    "(dashed) without having learned anything, and accuracy on the original data (solid, training labels as given) "
    "falls to chance."
)
_WORDS_OF_NUMBERS = (
    "Dashed: how well students say what their teachers say of these inputs; solid: how well they say the training "
    "targets as given."
)


def _series(task: Task) -> dict[str, tuple[Swatch, str]]:
    """Column → look and words."""
    train: dict[str, tuple[Swatch, str]] = {f"train_{task.score}": ("line", f"{task.label} on the original data")}
    if not task.has_classes:
        return {**train, AGREEMENT: ("dash", f"{task.label} of the student, held against its teacher's outputs")}
    return {
        **train,
        AGREEMENT: ("dash", "student agrees with its teacher on the transfer inputs"),
        TOP_SHARE: ("dots", "inputs to which the teacher gives its top class"),
    }


def _draw(material: Material) -> Picture | Absent:
    if AGREEMENT not in material.networks.columns:
        return Absent("")
    panels, tables = [], []
    task = material.task
    counts: dict[str, str] = {}
    for facet in material.facets:
        table = _table(facet, _series(task))
        if not table.empty:
            panels.append(_panel(facet.label, table, "share" if task.has_classes else task.label, material.panel_size))
            tables.append(table.drop(columns="look"))
            counts[facet.label] = str(table["over"].iloc[0])
    if not panels:
        return Absent("")
    caption = (
        "Each level fits smaller students to the outputs of the last level’s networks on the transfer inputs. "
        f"{_WORDS_OF_CLASSES if task.has_classes else _WORDS_OF_NUMBERS} Means; values and 95 % intervals on hover and "
        f"in the data. {sizes(counts)}.{material.below_zero}"
    )
    arms = _ARMS.values() if material.has_noise else [("clean", "network on true labels")]
    legend = [Key("line", colour, name) for colour, name in arms]
    legend += [Key(look, "ink", words) for look, words in _series(task).values()]
    return Picture(panels, caption, pd.concat(tables).drop(columns="tip"), legend, material.facet_columns)


def _table(facet: Facet, series: Mapping[str, tuple[Swatch, str]]) -> pd.DataFrame:
    """One row per arm, series and level: mean and interval over units, over networks where there is one."""
    rows = []
    arms = _ARMS if facet.noisy else {"replicate": ("clean", "network on true labels")}
    for arm, (colour, name) in arms.items():
        mine = facet.networks[facet.networks["arm"] == arm]
        for column, (look, words) in series.items():
            for level, mean, half, over in level_means(mine.assign(value=numbers(mine, column)), "value"):
                rows.append(
                    {
                        "panel": facet.label,
                        "arm": colour,
                        "series": words,
                        "look": look,
                        "level": level,
                        "mean": mean,
                        "ci95": math.nan if half is None else half,
                        "over": over,
                        "tip": f"{name}, level {level}\n{words}: {mean:.3f}",
                    }
                )
    table = pd.DataFrame(rows)
    return table if not table.empty and (table["look"] != "line").any() else pd.DataFrame()


def _panel(label: str, table: pd.DataFrame, what: str, size: tuple[float, float]) -> Drawing:
    drawing = Drawing(*size, f"Whom students follow, and what is left, by level, {label}")
    depth = int(table["level"].max())
    plot = Plot(drawing, Scale(0.0, float(depth), 0, 1), Scale(0.0, 1.02, 0, 1))
    step = max(1, math.ceil(depth / 6))
    ticks = [float(level) for level in range(0, depth + 1, step)]
    plot.axes(label, "level of distillation", what, x_ticks=ticks, y_ticks=[0, 0.25, 0.5, 0.75, 1.0])
    for (colour, look), rows in table.groupby(["arm", "look"], sort=False):
        xs, ys = rows["level"].astype(float).tolist(), rows["mean"].tolist()
        plot.line(xs, ys, str(colour), str(look))
        plot.targets(xs, ys, rows["tip"].tolist())
    return drawing


FIGURE = Figure("Whom do the students follow? Agreement on the transfer inputs, and what it is worth", 12, _draw)
