"""Contrast against label noise, trial by trial."""

import numpy as np
import pandas as pd

from study.answer.selection import instruments
from study.answer.strata import CONTRAST
from study.answer.units import per_unit, unit_word
from study.answer.words import plural, with_half
from study.report.drawing import Drawing, Key, Swatch
from study.report.figure import Absent, Figure, Picture
from study.report.material import Material, numbers, short
from study.report.plot import Plot
from study.report.scales import Scale, number_label, spanning
from trainables.statistics import mean_ci95

_APART = ("compression.method", "compression.recovery", "compression.transfer")
SHAPES: tuple[Swatch, ...] = ("dot", "square", "triangle", "diamond")


def _draw(material: Material) -> Picture | Absent:
    rows = _rows(material)
    if rows.empty:
        return Absent("No contrast to draw: no counted trial has one.")
    drawing = Drawing(520, 330, "Contrast against label noise")
    levels = _levels(material)
    noise = sorted({float(value) for value in rows["noise"]})
    tops = [mean + (half or 0.0) for _, _, mean, half, _ in levels]
    y = spanning(rows["contrast"].tolist(), include=[0.0, *tops], least=0.1)
    plot = Plot(drawing, Scale(-0.05, 1.08, 0, 1), y, (48, 40, 14, 42))
    x_ticks = noise if len(noise) <= 8 else [0.0, 0.25, 0.5, 0.75, 1.0]
    plot.axes(
        "",
        "label noise (share of labels put through the noise)",
        "contrast in compressibility (clean twin − noisy)",
        x_ticks=x_ticks,
        x_label=number_label,
    )
    plot.level(0.0, "zero")
    kinds = list(dict.fromkeys(rows["kind"]))
    for row in rows.to_dict("records"):
        index = kinds.index(row["kind"])
        shape = SHAPES[index % len(SHAPES)]
        plot.mark(row["x"], row["contrast"], f"cat{index % 6}", look="mark", shape=shape, size=4.6, tip=row["tip"])
    unit = unit_word(material.counted_trials)
    for label, at, mean, half, n in levels:
        if half is not None:
            plot.whisker(at, mean - half, mean + half, "ink")
        tip = f"{label}: {with_half(mean, half)}\n{plural(n, unit)}"
        plot.mark(at, mean, "ink", look="dot" if half is not None else "ring", size=5.5, tip=tip)
    legend = [Key(SHAPES[i % len(SHAPES)], f"cat{i % 6}", kind or "one trial") for i, kind in enumerate(kinds)]
    if levels:
        legend.append(Key("dot", "ink", f"mean over {unit}s, 95 % interval"))
    counts = "; ".join(f"{label}: {n}" for label, _, _, _, n in levels) or f"{len(rows)}, not pooled"
    caption = (
        "Each mark is one trial (mean over its pairs), moved sideways a little to be seen. "
        f"{unit.capitalize()}s (n): {counts}."
    )
    return Picture([drawing], caption, rows.drop(columns=["tip", "x"]), legend, columns=1, half=True)


def _levels(material: Material) -> list[tuple[str, float, float, float | None, int]]:
    """For each condition its label, noise, mean contrast over units, half width (95 %) and number of units.

    None where ways that were tried change the question, so that no mean over them answers one.
    """
    if set(instruments(material.counted_trials)) & set(_APART):
        return []
    found = []
    for group in material.noisy_groups:
        values = per_unit(group.trials, CONTRAST)
        if len(values):
            found.append((group.label, group.noise, *mean_ci95(values.tolist())))
    return found


def _rows(material: Material) -> pd.DataFrame:
    parts = []
    for group in material.noisy_groups:
        trials = group.trials
        values = numbers(trials, CONTRAST)
        trials, values = trials[values.notna()], values.dropna()
        noise = numbers(trials, "data.label_noise").fillna(0.0)
        word = short(material.instrument) + " " if material.instrument else ""
        kind = (word + material.categories(trials)).str.strip()
        placebo = " (placebo)" if group.placebo else ""
        parts.append(
            pd.DataFrame(
                {
                    "trial": trials["number"],
                    "condition": group.label,
                    "noise": noise,
                    "kind": kind + placebo,
                    "contrast": values,
                }
            )
        )
    if not parts:
        return pd.DataFrame()
    rows = pd.concat(parts, ignore_index=True)
    # A fixed low-discrepancy spread: marks of one noise level stand apart the same way in every report.
    place = rows.groupby("noise").cumcount().to_numpy() * 0.618034
    rows["x"] = rows["noise"] + 0.018 + 0.045 * (place - np.floor(place))
    rows["tip"] = [
        f"trial {trial}, {condition}\n{kind}\ncontrast {contrast:.3f}"
        for trial, condition, kind, contrast in rows[["trial", "condition", "kind", "contrast"]].itertuples(index=False)
    ]
    return rows


FIGURE = Figure("Contrast against noise, trial by trial", 20, _draw)
