"""What a study describes by condition, the largest first: how far each way compresses, what each contrast is."""

import pandas as pd

from study.answer.verdict import Finding
from study.answer.words import with_half
from study.report.drawing import Drawing, mark_path, room_for
from study.report.figure import Absent, Figure, Picture
from study.report.material import Material
from study.report.scales import Scale, number_label, spanning

_WIDTH, _RIGHT, _TOP, _BOTTOM = 520.0, 92.0, 30.0, 24.0
_MOST = 40


def forests(material: Material) -> Picture | Absent:
    """A forest for each description that has conditions."""
    every = (*material.verdicts.findings, *material.verdicts.exploratory)
    names = dict.fromkeys(found.claim for found in every if found.role == "description")
    panels, rows, paired = [], [], False
    for name in names:
        mine = [found for found in material.verdicts.conditions(name) if found.estimate is not None]
        if mine:
            panels.append(_panel(mine[:_MOST]))
            rows += [_row(found) for found in mine]
            paired = paired or any(found.behind is not None for found in mine)
    if not panels:
        return Absent("")
    caption = "Means with Student’s interval, 95 % each, the largest first; n is in the data and on hover."
    if paired:
        caption += (
            " Where all met the same networks, how much less each has than the first, paired on them, is in the data "
            "and on hover."
        )
    return Picture(panels, caption, pd.DataFrame(rows), [], columns=min(2, len(panels)))


def _panel(mine: list[Finding]) -> Drawing:
    row = 26.0 if len(mine) <= 12 else 15.0
    left = room_for((found.condition for found in mine), least=110.0, size=10.5)
    width = _WIDTH if left < 0.5 * _WIDTH else _WIDTH + left / 2
    bottom = _TOP + row * len(mine)
    drawing = Drawing(width, bottom + _BOTTOM, mine[0].says)
    estimates = [found.estimate or 0.0 for found in mine]
    ends = [
        value + sign * (found.half or 0.0) for value, found in zip(estimates, mine, strict=True) for sign in (-1, 1)
    ]
    scale = spanning(ends, include=[0.0], least=0.1).onto(left, width - _RIGHT)
    drawing.text(4, 14, mine[0].claim.replace("_", " "), "head")
    for tick in scale.ticks(4):
        drawing.add("path", "grid", d=f"M{scale(tick):.2f} {_TOP - 6:.2f}V{bottom:.2f}")
        drawing.text(scale(tick), bottom + 16, number_label(tick), anchor="middle")
    for place, found in enumerate(mine):
        _row_of(drawing, scale, found, (left, _TOP + row * (place + 0.5)))
    return drawing


def _row_of(drawing: Drawing, scale: Scale, found: Finding, at: tuple[float, float]) -> None:
    left, y = at
    value = found.estimate or 0.0
    drawing.text(left - 10, y + 3.8, found.condition, "small", anchor="end")
    if found.half is not None:
        low, high = scale(value - found.half), scale(value + found.half)
        drawing.add("path", "whisker cat0", d=f"M{low:.2f} {y:.2f}H{high:.2f}")
    tip = f"{found.condition}: {found.brief}"
    drawing.add("path", "dot cat0", tip=tip, d=mark_path("", scale(value), y, 4.0))
    drawing.text(drawing.width - 4, y + 3.8, with_half(value, found.half), "small", anchor="end")


def _row(found: Finding) -> dict[str, object]:
    behind, half = found.behind or (None, None)
    return {
        "description": found.claim,
        "condition": found.condition,
        "units": found.n,
        "mean": found.estimate,
        "ci95": found.half,
        "behind": behind,
        "behind_ci95": half,
    }


def _draw(material: Material) -> Picture | Absent:
    """Where no claim has an estimate they stand beside the answer already."""
    asked = any(
        found.role != "description" and found.estimate is not None for found in material.verdicts.listed_findings
    )
    return forests(material) if asked else Absent("")


FIGURE = Figure("What is described, by condition", 8, _draw)
