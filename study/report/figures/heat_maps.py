"""Gap, compressibility and contrast over the two spanned dimensions that matter most: width × noise where both vary."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from study.answer.strata import COMPRESSIBILITY, CONTRAST, gap_metric
from study.answer.words import plural, with_sign
from study.report.drawing import Drawing, room_for
from study.report.figure import Absent, Figure, Picture
from study.report.material import Material, numbers, short
from study.report.scales import number_label

_LEAST_SPREAD = 0.1  # of a colour scale: cells that read alike look alike
_WIDTH = 340.0  # of a map
_PREFERRED = ["model.width", "data.label_noise"]
# ColorBrewer YlGnBu without its ends: ordered in lightness, so it survives grey print and colour blindness.
_RAMP = ("#eaf6cf", "#c3e5b8", "#7fcbbb", "#44b0c3", "#2688b8", "#235fa5", "#253a8d")


def _draw(material: Material) -> Picture | Absent:
    trials = material.counted_trials
    names = _dimensions(material)
    if len(names) < 2:
        return Absent("Needs two spanned dimensions with at least two values each.")
    columns, rows = _labels(numbers_or_text(trials, names[1])), _labels(numbers_or_text(trials, names[0]))
    panels, tables, alike = [], [], ""
    quantities = {
        gap_metric(trials): f"generalization gap (train − test {material.task.label})",
        COMPRESSIBILITY: "compressibility of the noisy network" if material.has_noise else "compressibility",
        CONTRAST: "contrast (clean twin − noisy)",
    }
    for quantity, title in quantities.items():
        table = pd.DataFrame({"row": rows, "column": columns, "value": numbers(trials, quantity)}).dropna()
        if table.empty:
            continue
        cells = table.groupby(["row", "column"], sort=False)["value"].agg(["mean", "count"])
        read = {with_sign(mean) for mean in cells["mean"]}
        if len(read) == 1 and len(cells) > 1:  # as where all trials compress the same networks, which have one gap
            alike += f" No map of the {title}: it is {read.pop()} in all cells."
            continue
        panels.append(_map(title, cells, short(names[0]), short(names[1])))
        tables.append(cells.reset_index().assign(quantity=quantity))
    if not panels:
        return Absent(alike.strip() or "Neither gap nor compressibility was recorded.")
    n = sorted({int(count) for table in tables for count in table["count"]})
    each = str(n[0]) if len(n) == 1 else f"{n[0]}–{n[-1]}"
    caption = (
        f"Means over the trials of a cell ({each} each), other spanned fields pooled. Each map has its own colour "
        f"scale, darker is larger; it spans {_LEAST_SPREAD:g} at least.{alike}"
    )
    title = "" if len(panels) == len(quantities) else f"Where in the space: {_quantities(tables)}"
    return Picture(panels, caption, pd.concat(tables), [], columns=len(panels), title=title)


def _quantities(tables: list[pd.DataFrame]) -> str:
    words = {COMPRESSIBILITY: "compressibility", CONTRAST: "contrast"}
    return " and ".join(words.get(str(table["quantity"].iloc[0]), "gap") for table in tables)


def _dimensions(material: Material) -> list[str]:
    """Row and column field: width × noise, else the two that explain most of the compressibility."""
    spanned = material.spanned_fields
    if all(name in spanned for name in _PREFERRED):
        return _PREFERRED
    target = numbers(material.counted_trials, COMPRESSIBILITY)
    target = target if target.notna().any() else numbers(material.counted_trials, gap_metric(material.counted_trials))
    ranked = sorted(
        spanned, key=lambda name: -_explained_share(_labels(numbers_or_text(material.counted_trials, name)), target)
    )
    return sorted(ranked[:2], key=spanned.index)


def _explained_share(labels: pd.Series, target: pd.Series) -> float:
    """η²: the share of the target's variance between the values of a field."""
    table = pd.DataFrame({"label": labels.astype(str), "target": target}).dropna()
    total = float(((table["target"] - table["target"].mean()) ** 2).sum()) if len(table) else 0.0
    if total == 0:
        return 0.0
    between = table.groupby("label")["target"].transform("mean") - table["target"].mean()
    return float((between**2).sum()) / total


def numbers_or_text(trials: pd.DataFrame, name: str) -> pd.Series:
    """A field's values: as numbers where all are, else as text."""
    values = numbers(trials, name)
    is_flag = trials[name].map(lambda value: isinstance(value, bool)).any()
    return values if values.notna().all() and not is_flag else trials[name].astype(str)


def _labels(values: pd.Series, most: int = 8) -> pd.Series:
    """An ordered categorical of at most about `most` values; a range of numbers is cut into fifths."""
    distinct = sorted(values.unique())
    if values.dtype.kind == "f" and len(distinct) > most:
        cut = pd.qcut(values, 5, duplicates="drop")
        words = {interval: f"{interval.left:.3g}–{interval.right:.3g}" for interval in cut.cat.categories}
        return cut.cat.rename_categories(words)
    text = values.map(lambda value: number_label(value) if isinstance(value, float) else str(value))
    order = [number_label(value) if isinstance(value, float) else str(value) for value in distinct[: 4 * most]]
    return pd.Series(pd.Categorical(text, categories=order, ordered=True), index=values.index)


def _map(title: str, cells: pd.DataFrame, row_name: str, column_name: str) -> Drawing:
    frame = cells["mean"].unstack("column")
    frame = frame.sort_index(axis=0, ascending=False).sort_index(axis=1)
    labels = {row: str(row).replace("_", " ") for row in frame.index}
    left = room_for(labels.values(), least=62.0, size=11.0)
    top, right, cell_height = 46.0, 8.0, 34.0 if len(frame) <= 12 else 22.0
    width = _WIDTH + left - 62.0
    step = (width - left - right) / max(len(frame.columns), 1)
    drawing = Drawing(width, top + cell_height * len(frame) + 42, title)
    drawing.text(4, 14, title, "head")
    drawing.text(4, top - 10, row_name, "axis")
    values = frame.to_numpy(dtype=float)
    low, high = _ends(values)
    for i, row in enumerate(frame.index):
        y = top + i * cell_height
        drawing.text(left - 8, y + cell_height / 2 + 4, labels[row], anchor="end")
        for j, column in enumerate(frame.columns):
            value = float(values[i, j])
            x = left + j * step
            if not math.isfinite(value):
                drawing.text(x + step / 2, y + cell_height / 2 + 4, "–", anchor="middle")
                continue
            fill, ink = _colour((value - low) / (high - low))
            count = plural(int(cells["count"][(row, column)]), "trial")
            tip = f"{row_name} {row}, {column_name} {column}\n{title}: {with_sign(value, 3)}\n{count}"
            drawing.add("rect", "cell", tip=tip, x=x, y=y, width=step, height=cell_height, rx=3, style=f"fill:{fill}")
            drawing.text(
                x + step / 2,
                y + cell_height / 2 + 4,
                with_sign(value),
                "value",
                anchor="middle",
                style=f"fill:{ink};pointer-events:none",
            )
    bottom = top + cell_height * len(frame)
    for j, column in enumerate(frame.columns):
        drawing.text(left + (j + 0.5) * step, bottom + 16, str(column).replace("_", " "), anchor="middle")
    drawing.text((left + width - right) / 2, bottom + 33, column_name, "axis", anchor="middle")
    return drawing


def _ends(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Ends of the colour scale, wide enough around the values that differences nobody could read have no colours."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = max(0.0, _LEAST_SPREAD - (high - low)) / 2
    return low - room, high + room


def _colour(share: float) -> tuple[str, str]:
    """Fill of a cell and a legible ink on it."""
    place = min(max(share, 0.0), 1.0) * (len(_RAMP) - 1)
    index = min(int(place), len(_RAMP) - 2)
    a, b = (bytes.fromhex(_RAMP[i][1:]) for i in (index, index + 1))
    mixed = [round(x + (y - x) * (place - index)) for x, y in zip(a, b, strict=True)]
    light = 0.299 * mixed[0] + 0.587 * mixed[1] + 0.114 * mixed[2] > 140
    return f"#{bytes(mixed).hex()}", "#14202b" if light else "#ffffff"


FIGURE = Figure("Where in the space: gap, compressibility and contrast", 40, _draw)
