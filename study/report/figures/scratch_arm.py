"""With recovery or distillation: what is kept beyond what fresh networks of the same sizes and budget learn."""

import pandas as pd

from study.answer.pairs import network_areas
from study.answer.units import row_units, units
from study.answer.words import plural
from study.report.drawing import Drawing, Key
from study.report.figure import Absent, Figure, Picture, sizes
from study.report.material import Facet, Material
from study.report.scales import Scale, number_label, spanning
from trainables.statistics import mean_ci95

_ROW, _TOP, _LEFT, _WIDTH = 38.0, 52.0, 250.0, 700.0
_ARMS = {"noisy": ("replicate", "scratch_replicate"), "clean": ("control", "scratch_control")}


def _draw(material: Material) -> Picture | Absent:
    arms = set(material.networks["arm"].unique()) if "arm" in material.networks.columns else set()
    if not any(arm.startswith("scratch") for arm in arms):
        return Absent("")
    areas = network_areas(material.counted_trials, material.networks)
    rows = [row for facet in material.facets for row in _rows(facet, areas)]
    if not rows:
        return Absent("The scratch arm was trained, but no network has a compressibility to set beside it.")
    table = pd.DataFrame(rows)
    caption = (
        "Left: compressibility after compression with recovery or distillation (dot) and of fresh networks of the same "
        "sizes, labels and budget (ring). Right: retained minus scratch, mean over trials (over networks where there "
        "is only one trial) with 95 % interval; at 0, relearning explains everything. "
        f"{sizes({str(row['label']): str(row['n']) for row in rows})}."
    )
    noisy = [Key("dot", "noisy", "noisy network, retained"), Key("dot", "clean", "clean twin, retained")]
    legend = noisy if material.has_noise else [Key("dot", "clean", "network on true labels, retained")]
    legend = [*legend, Key("ring", "soft", "fresh network (scratch arm)")]
    return Picture([_drawing(rows)], caption, table, legend, columns=1)


def _rows(facet: Facet, areas: pd.DataFrame) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    cells = dict(zip(facet.trials["number"], units(facet.trials), strict=True))
    mine = areas[areas["trial"].isin(facet.trials["number"])]
    for colour, (arm, scratch) in _ARMS.items():
        own = mine[mine["arm"] == arm].merge(
            mine[mine["arm"] == scratch], on=["trial", "network"], suffixes=("", "_scratch")
        )
        both = own[["auc", "auc_scratch"]].dropna()
        if both.empty:
            continue
        unit, names = row_units(own.loc[both.index].assign(cell=own["trial"].map(cells)))
        both = both[["auc", "auc_scratch"]].groupby(names).mean()
        mean, half, n = mean_ci95((both["auc"] - both["auc_scratch"]).tolist())
        found.append(
            {
                "label": f"{facet.label}, {colour}" if facet.noisy else facet.label,
                "colour": "noisy" if colour == "noisy" and facet.noisy else "clean",
                "retained": float(both["auc"].mean()),
                "scratch": float(both["auc_scratch"].mean()),
                "difference": mean,
                "ci95": half,
                "n": plural(n, unit),
            }
        )
    return found


def _drawing(rows: list[dict[str, object]]) -> Drawing:
    height = _TOP + _ROW * len(rows) + 46
    drawing = Drawing(_WIDTH, height, "Retained compressibility and the scratch arm")
    left = Scale(0, 1, _LEFT, 450)
    ends = [_number(r["difference"]) + s * _number(r["ci95"]) for r in rows for s in (-1, 1)]
    right = spanning(ends, include=[0.0], least=0.1).onto(485, _WIDTH - 12)
    bottom = height - 44
    for scale, title, ticks in (
        (left, "compressibility (0…1)", [0, 0.25, 0.5, 0.75, 1]),
        (right, "retained − scratch", right.ticks(4)),
    ):
        for tick in ticks:
            drawing.add("path", "grid", d=f"M{scale(tick):.2f} {_TOP - 10:.2f}V{bottom:.2f}")
            drawing.text(scale(tick), bottom + 16, number_label(tick), anchor="middle")
        drawing.text((scale.start + scale.end) / 2, bottom + 34, title, "axis", anchor="middle")
    drawing.add("path", "zero", d=f"M{right(0):.2f} {_TOP - 10:.2f}V{bottom:.2f}")
    for index, row in enumerate(rows):
        y, colour, half = _TOP + 8 + index * _ROW, str(row["colour"]), _number(row["ci95"])
        retained, scratch, difference = (_number(row[name]) for name in ("retained", "scratch", "difference"))
        tip = (
            f"{row['label']}\nretained {retained:.3f}, scratch {scratch:.3f}\ndifference {difference:.3f} ± {half:.3f}"
        )
        drawing.text(_LEFT - 14, y + 4, str(row["label"]), "value", anchor="end")
        drawing.add("path", f"thin {colour}", d=f"M{left(scratch):.2f} {y:.2f}H{left(retained):.2f}")
        drawing.add("circle", f"ring {colour}", cx=left(scratch), cy=y, r=4.5)
        drawing.add("circle", f"dot {colour}", cx=left(retained), cy=y, r=5.5)
        if row["ci95"] is not None:
            drawing.add(
                "path", f"whisker {colour}", d=f"M{right(difference - half):.2f} {y:.2f}H{right(difference + half):.2f}"
            )
        look = "ring" if row["ci95"] is None else "dot"
        drawing.add("circle", f"{look} {colour}", cx=right(difference), cy=y, r=5.5)
        drawing.add("rect", "hit", tip=tip, x=0, y=y - _ROW / 2, width=_WIDTH, height=_ROW)
    return drawing


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


FIGURE = Figure("Retained, or relearned? The scratch arm beside", 15, _draw)
