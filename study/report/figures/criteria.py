"""Every criterion against removing at random: the test score along compression, lowest and highest first."""

import math

import numpy as np
import pandas as pd

from study.answer.units import CELL, unit_word
from study.report.curves import MeanCurve, mean_curve, reach
from study.report.drawing import Drawing, Key
from study.report.figure import Absent, Figure, Picture
from study.report.figures.score_curves import curve_table
from study.report.material import Material, column, numbers
from study.report.plot import Plot
from study.report.scales import Scale, log2_scale, ratio_label, ratio_ticks

_CRITERION, _DIRECTION = "compression.criterion", "compression.direction"
_DIRECTIONS = {"lowest": ("clean", "lowest scores removed first"), "highest": ("noisy", "highest removed first")}
_BASELINE = "random"
_LEAST = 3
_APART = "Networks of different panels were trained apart, from other initial weights."
_TOGETHER = "All panels show the same dense networks: compare them pair by pair, not by their bands."
_SIZE, _COLUMNS = (252.0, 196.0), 4


def _draw(material: Material) -> Picture | Absent:
    trials = material.counted_trials
    if not len(trials) or _CRITERION not in trials.columns or trials[_CRITERION].nunique() < _LEAST:
        return Absent("")
    curves = _curves(material)
    random = curves.get(_BASELINE, {}).get("lowest")
    names = sorted(
        (name for name in curves if name != _BASELINE), key=lambda name: -_height_above(curves[name], random)
    )
    if not names:
        return Absent("No criterion but random removal has recorded networks.")
    top = max(reach(material.networks_of(trials)), 1.0)
    chance = numbers(material.networks_of(trials), "chance").dropna()
    level = float(chance.mean()) if len(chance) else math.nan
    panels = [_panel(name, curves[name], random, (top, level, material.task.label)) for name in names]
    tables = [
        curve_table(name, direction, curve) for name, found in curves.items() for direction, curve in found.items()
    ]
    first = next(iter(curves[names[0]].values()))
    caption = (
        f"Test {material.task.label} against parameters ÷ parameters kept (all parameters counted), for each "
        f"criterion. Line: mean over {first.unit}s; band: 95 % Student t interval over {first.unit}s of one criterion "
        f"and direction ({first.n}). Criteria are in the order of how much lowest-first lies above random removal, in "
        "the mean over log₂ ratios. "
        f"{_TOGETHER if unit_word(trials) == CELL else _APART}"
        f"{material.below_zero}"
    )
    there = {direction for found in curves.values() for direction in found}
    legend = [Key("line", colour, text) for name, (colour, text) in _DIRECTIONS.items() if name in there]
    legend += [Key("dash", "scratch", "removed at random")] if random else []
    legend += [Key("band", "soft", "95 % interval"), Key("dots", "soft", "chance")]
    return Picture(panels, caption, pd.concat(tables), legend, columns=_COLUMNS)


def _curves(material: Material) -> dict[str, dict[str, MeanCurve]]:
    """Criterion → direction → its curve of the test score."""
    trials = material.counted_trials
    directions = column(trials, _DIRECTION, "lowest").astype(str)
    found: dict[str, dict[str, MeanCurve]] = {}
    for name in sorted(trials[_CRITERION].astype(str).unique()):
        for direction in _DIRECTIONS:
            mine = trials[(trials[_CRITERION] == name) & (directions == direction)]
            curve = mean_curve(material.networks_of(mine), "replicate", f"test_{material.task.score}")
            if curve is not None:
                found.setdefault(name, {})[direction] = curve
    return found


def _height_above(found: dict[str, MeanCurve], random: MeanCurve | None) -> float:
    """Mean height of lowest-first over random removal, or over 0 without one."""
    curve = found.get("lowest") or next(iter(found.values()))
    base = np.interp(curve.x, random.x, random.mean) if random else np.zeros(len(curve.x))
    return float(np.mean(np.array(curve.mean) - base))


def _panel(
    name: str, found: dict[str, MeanCurve], random: MeanCurve | None, frame: tuple[float, float, str]
) -> Drawing:
    top, chance, score = frame
    drawing = Drawing(*_SIZE, f"Test {score} against compression ratio, {name}")
    plot = Plot(drawing, log2_scale(top), Scale(0.0, 1.02, 0, 1))
    plot.axes(
        name.replace("_", " "),
        "compression ratio",
        f"test {score}",
        x_ticks=ratio_ticks(top),
        x_label=ratio_label,
        y_ticks=[0, 0.25, 0.5, 0.75, 1.0],
    )
    if math.isfinite(chance):
        plot.level(chance)
    if random:
        plot.line(random.x, random.mean, "scratch", "dash")
    for direction, curve in found.items():
        colour, words = _DIRECTIONS[direction]
        plot.band(curve.x, curve.low, curve.high, colour)
        plot.line(curve.x, curve.mean, colour)
        tips = [
            f"{name}, {words}\n{2**x:.1f}× smaller: {mean:.3f}" + (f" ± {half:.3f}" if math.isfinite(half) else "")
            for x, mean, half in zip(curve.x, curve.mean, curve.half, strict=True)
        ]
        plot.targets(curve.x, curve.mean, tips, size=5.0)
    return drawing


FIGURE = Figure("Which criterion finds what a network can do without?", 14, _draw)
