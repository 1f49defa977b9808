"""The memorised share: examples whose label was kept against those whose label changed, in the noisy networks."""

import pandas as pd

from study.config.scores import capital
from study.report.curves import mean_curve, ratio_title, reach
from study.report.drawing import Drawing, Key
from study.report.figure import Absent, Figure, Picture, sizes
from study.report.figures.score_curves import MIXED, OVER_TRIALS, curve_table, draw_curve
from study.report.material import Material, numbers
from study.report.plot import Plot
from study.report.scales import Scale, log2_scale, ratio_label, ratio_ticks

_SERIES = {
    "kept": ("kept", "line", "examples with their true label (kept)"),
    "changed": ("changed", "line", "examples with a changed label (memorised)"),
    "recovered": ("recovered", "dash", "changed examples, against their true label"),
}


def _draw(material: Material) -> Picture | Absent:
    panels, tables, seen = [], [], set()
    task = material.task
    counts: dict[str, str] = {}
    for facet in material.facets:
        top = reach(facet.networks)
        curves = {name: mean_curve(facet.networks, "replicate", f"{name}_{task.score}") for name in _SERIES}
        found = {name: curve for name, curve in curves.items() if curve is not None}
        if not facet.noisy or "changed" not in found:
            continue
        drawing = Drawing(*material.panel_size, f"{capital(task.label)} on kept and changed examples, {facet.label}")
        plot = Plot(drawing, log2_scale(top), Scale(0.0, 1.02, 0, 1))
        plot.axes(
            facet.label,
            ratio_title(facet.networks),
            f"{task.label} of the noisy network",
            x_ticks=ratio_ticks(top),
            x_label=ratio_label,
            y_ticks=[0, 0.25, 0.5, 0.75, 1.0],
        )
        chance = numbers(facet.networks[facet.networks["arm"] == "replicate"], "chance").dropna()
        if len(chance):
            plot.level(float(chance.mean()))
        for name, curve in found.items():
            draw_curve(plot, curve, _SERIES[name], mixed=facet.mixed)
        panels.append(drawing)
        tables += [curve_table(facet.label, f"{name}_{task.score}", curve) for name, curve in found.items()]
        counts[facet.label] = found["changed"].n
        seen |= set(found)
    if not panels:
        return Absent(
            "No trial has examples whose label was changed, or how they were answered was not recorded by level."
        )
    caption = (
        "Inside one and the same noisy network: where the changed examples fall first, what was memorised goes before "
        f"what was learned. {MIXED if any(facet.mixed for facet in material.facets) else OVER_TRIALS}; dotted: chance. "
        f"{sizes(counts)}.{material.below_zero}"
    )
    legend = [
        Key("line" if look == "line" else "dash", c, text) for name, (c, look, text) in _SERIES.items() if name in seen
    ]
    return Picture(panels, caption, pd.concat(tables), legend, material.facet_columns, half=len(panels) == 1)


FIGURE = Figure("The memorised share: kept against changed examples", 30, _draw)
