"""The score on the labels given, along compression: noisy networks against their clean twins."""

import math

import pandas as pd

from study.report.curves import MeanCurve, mean_curve, ratio_title, reach
from study.report.drawing import Drawing, Key
from study.report.figure import Absent, Figure, Picture, sizes
from study.report.material import Facet, Material, numbers
from study.report.plot import Plot
from study.report.scales import Scale, log2_scale, ratio_label, ratio_ticks

_ARMS = {
    "control": ("clean", "line", "clean twin (true labels)"),
    "replicate": ("noisy", "line", "noisy network"),
    "scratch_control": ("clean", "dash", "fresh network, clean (scratch arm)"),
    "scratch_replicate": ("noisy", "dash", "fresh network, noisy (scratch arm)"),
}

_OF_TRUE_LABELS = {
    "replicate": ("clean", "line", "network on true labels"),
    "scratch_replicate": ("clean", "dash", "fresh network (scratch arm)"),
}
OVER_TRIALS = (
    "Thick line: mean over trials; band: 95 % Student t interval over trials (over networks where there is only one "
    "trial); thin lines: single curves"
)
MIXED = (
    "Each line is one trial: those of a panel were compressed in different ways, over which a mean or an interval "
    "would mean nothing"
)
_PAIRED = (
    " Twins are paired inside a trial, so bands that overlap do not mean that pairs disagree: the contrast above is "
    "the paired comparison."
)


def _draw(material: Material) -> Picture | Absent:
    panels, tables = [], []
    task = material.task
    seen: dict[tuple[str, str, str], None] = {}
    counts: dict[str, str] = {}
    for facet in material.facets:
        curves = arm_curves(facet, f"train_{task.score}")
        if not curves:
            continue
        panels.append(_panel(facet, curves, task.label, material.panel_size))
        tables += [curve_table(facet.label, arm, curve) for arm, curve in curves.items()]
        seen |= dict.fromkeys(_look(facet, arm) for arm in curves)
        counts[facet.label] = curves[next(iter(curves))].n
    if not panels:
        return Absent("No curves: no complete design trial recorded its networks level by level.")
    mixed = any(facet.mixed for facet in material.facets)
    caption = (
        f"Training {task.label} on the labels each network was given, against the compression ratio (all parameters "
        f"counted). {MIXED if mixed else OVER_TRIALS}; dotted: chance. {sizes(counts)}.{material.below_zero}"
    )
    title = "" if material.has_noise else "Along compression"
    if "control" in {arm for facet in material.facets for arm in facet.networks["arm"].unique()}:
        caption += _PAIRED
    legend = [Key("line" if look == "line" else "dash", colour, text) for colour, look, text in seen]
    legend += [] if mixed else [Key("band", "soft", "95 % interval")]
    legend += [Key("dots", "soft", "chance")]
    columns = material.facet_columns
    return Picture(panels, caption, pd.concat(tables), legend, columns, half=len(panels) == 1, title=title)


def arm_curves(facet: Facet, value: str) -> dict[str, MeanCurve]:
    """Arm → its mean curve, for the arms that were recorded."""
    found = {arm: mean_curve(facet.networks, arm, value) for arm in _ARMS}
    return {arm: curve for arm, curve in found.items() if curve is not None}


def curve_table(facet: str, series: str, curve: MeanCurve) -> pd.DataFrame:
    """A mean curve as rows for the CSV."""
    return pd.DataFrame(
        {
            "panel": facet,
            "series": series,
            "log2_ratio": curve.x,
            "mean": curve.mean,
            "ci95": curve.half,
            "n": len(curve.single),
            "unit": curve.unit,
        }
    )


def draw_curve(plot: Plot, curve: MeanCurve, looks: tuple[str, str, str], *, mixed: bool = False) -> None:
    """Band, single curves, mean and hover values; of `mixed` instruments the single curves alone.

    Args:
        looks: Colour, look and name.
    """
    colour, look, name = looks
    if mixed:
        for single, xs, ys in curve.single:
            plot.line(xs, ys, colour, "thin")
            tips = [f"{name}, {single}\n{2**x:.1f}× smaller: {y:.3f}" for x, y in zip(xs, ys, strict=True)]
            plot.targets(xs, ys, tips, size=4.0)
        return
    if look == "line":
        plot.band(curve.x, curve.low, curve.high, colour)
    if look == "line" and len(curve.single) <= 40:
        for _, xs, ys in curve.single:
            plot.line(xs, ys, colour, "thin")
    plot.line(curve.x, curve.mean, colour, look)
    tips = [
        f"{name}\n{2**x:.1f}× smaller: {mean:.3f}" + (f" ± {half:.3f}" if math.isfinite(half) else "") + f"\n{curve.n}"
        for x, mean, half in zip(curve.x, curve.mean, curve.half, strict=True)
    ]
    plot.targets(curve.x, curve.mean, tips)


def _look(facet: Facet, arm: str) -> tuple[str, str, str]:
    if not facet.noisy and arm in _OF_TRUE_LABELS:
        return _OF_TRUE_LABELS[arm]
    return _ARMS[arm]


def _panel(facet: Facet, curves: dict[str, MeanCurve], score: str, size: tuple[float, float]) -> Drawing:
    drawing = Drawing(*size, f"Training {score} against compression ratio, {facet.label}")
    top = reach(facet.networks)
    plot = Plot(drawing, log2_scale(top), Scale(0.0, 1.02, 0, 1))
    plot.axes(
        facet.label,
        ratio_title(facet.networks),
        f"training {score}, labels as given",
        x_ticks=ratio_ticks(top),
        x_label=ratio_label,
        y_ticks=[0, 0.25, 0.5, 0.75, 1.0],
    )
    chance = numbers(facet.networks, "chance").dropna()
    if len(chance):
        plot.level(float(chance.mean()))
    for arm, curve in curves.items():
        draw_curve(plot, curve, _look(facet, arm), mixed=facet.mixed)
    return drawing


FIGURE = Figure("Along compression: noisy networks and their clean twins", 10, _draw)
