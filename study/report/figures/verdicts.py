"""One panel a claim: its effect with Student's interval and the confidence sequence, by condition or unit by unit."""

import math
from dataclasses import replace

import pandas as pd

from study.answer.verdict import POOLED, Finding, Verdicts
from study.answer.words import with_sign
from study.report.drawing import Drawing, Key, mark_path, room_for
from study.report.figure import Absent, Figure, Picture
from study.report.figures.descriptions import forests
from study.report.material import Material
from study.report.plot import Plot
from study.report.scales import Scale, number_label, spanning

_WIDE, _NARROW = 520.0, 300.0
_ROW, _TOP, _BOTTOM, _RIGHT = 26.0, 34.0, 40.0, 150.0
_MOST_TITLE = 9.5  # drawing units a letter of a heading takes, at most
_COLOURS = {"supported": "clean", "refuted": "noisy", "open": "cat1", "undefined": "soft", "described": "soft"}


def _draw(material: Material) -> Picture | Absent:
    verdicts = material.verdicts
    asked = [found for found in verdicts.listed_findings if found.role != "description" and found.estimate is not None]
    if not asked:
        beside = forests(material)
        why = Absent("No claim has an estimate yet: " + _reasons(verdicts)) if verdicts.listed_findings else Absent("")
        return replace(beside, columns=1) if isinstance(beside, Picture) else why
    few = len(asked) <= 3
    panels, rows, drawn = [], [], []
    for found in asked:
        under = [one for one in verdicts.conditions(found.claim) if one.estimate is not None]
        panels.append(_forest(found, under) if under else _path(found, _WIDE if few else _NARROW, 200.0))
        rows += [_row(one) for one in (*under, found)]
        drawn += [found, *under]
        rows += [_point(found, *point) for point in found.course]
    caption = (
        "Thick line or whisker: Student’s interval, which counts at the planned number of trials; thin line or band: "
        "the confidence sequence, which holds however often one looks. Both are simultaneous over all claims and "
        "conditions. A claim without conditions is drawn against the number of units."
    )
    legend = [Key("dot", _COLOURS[word], word) for word in dict.fromkeys(one.verdict for one in drawn)]
    legend += [Key("line", "ink", "Student’s t"), Key("band", "ink", "at any time")]
    return Picture(panels, caption, pd.DataFrame(rows), legend, columns=1 if few else 2)


def _reasons(verdicts: Verdicts) -> str:
    reasons = dict.fromkeys(found.reason for found in verdicts.listed_findings if found.reason)
    return "; ".join(reasons) + "."


def _title(found: Finding, width: float) -> str:
    words = found.claim.replace("_", " ")
    most = int(width / _MOST_TITLE * 1.4)
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _forest(found: Finding, under: list[Finding]) -> Drawing:
    """A row a condition, the pooled one last."""
    rows = [*under, found]
    labels = [one.condition or "all" for one in rows]
    left = room_for(labels, least=110.0)
    height = _TOP + _ROW * len(rows) + _BOTTOM
    drawing = Drawing(_WIDE, height, f"{found.claim} by condition")
    ends = [end for one in rows for end in (*one.interval, *one.planned_interval) if end is not None]
    known = [one.estimate for one in rows if one.estimate is not None]
    scale = _spanning(known, ends).onto(left, _WIDE - _RIGHT)
    bottom = height - _BOTTOM + 4
    drawing.text(4, 14, _title(found, _WIDE), "head")
    for tick in scale.ticks(4):
        drawing.add("path", "grid", d=f"M{scale(tick):.2f} {_TOP - 8:.2f}V{bottom:.2f}")
        drawing.text(scale(tick), bottom + 16, number_label(tick), anchor="middle")
    if scale.low <= 0 <= scale.high:
        drawing.add("path", "zero", d=f"M{scale(0):.2f} {_TOP - 8:.2f}V{bottom:.2f}")
    for place, (one, label) in enumerate(zip(rows, labels, strict=True)):
        _forest_row(drawing, scale, one, label, (left, _TOP + _ROW * (place + 0.5)))
    return drawing


def _forest_row(drawing: Drawing, scale: Scale, one: Finding, label: str, at: tuple[float, float]) -> None:
    left, y = at
    colour = _COLOURS[one.verdict]
    drawing.text(left - 12, y + 4, label, "value", anchor="end")
    for look, interval in (("line thin", one.interval), ("whisker", one.planned_interval)):
        low, high = (_clip(scale, end, edge) for end, edge in zip(interval, (scale.low, scale.high), strict=True))
        drawing.add("path", f"{look} {colour}", d=f"M{scale(low):.2f} {y:.2f}H{scale(high):.2f}")
    shape = "diamond" if one.condition == POOLED else ""
    drawing.add("path", f"dot {colour}", d=mark_path(shape, scale(one.estimate or 0.0), y, 5.0))
    drawing.text(drawing.width - 4, y + 4, f"{with_sign(one.estimate or 0.0)} · {one.verdict}", "value", anchor="end")
    drawing.add("rect", "hit", tip=_tip(one), x=0, y=y - _ROW / 2, width=drawing.width, height=_ROW)


def _path(found: Finding, width: float, height: float) -> Drawing:
    """Estimate and sequence against the number of units; Student's interval at the last."""
    drawing = Drawing(width, height, f"{found.claim} unit by unit")
    counts = [float(point[0]) for point in found.course] or [float(found.n)]
    estimates = [point[1] for point in found.course] or [found.estimate or 0.0]
    ends = [end for end in (*found.interval, *found.planned_interval) if end is not None]
    y = _spanning(estimates, ends)
    plot = Plot(drawing, Scale(0.0, max(counts) * 1.04, 0, 1), y, (44.0, 42.0, 12.0, 38.0))
    plot.axes(_title(found, width), f"{found.unit}s", f"{_estimate_name(found)} · {found.verdict}")
    if y.low <= 0 <= y.high:
        plot.level(0.0, "zero")
    colour = _COLOURS[found.verdict]
    low = [y.low if point[2] is None else point[2] for point in found.course]
    high = [y.high if point[3] is None else point[3] for point in found.course]
    plot.band(counts, low, high, colour) if found.course else None
    plot.line(counts, estimates, colour)
    start, end = found.planned_interval
    if start is not None and end is not None:
        plot.whisker(counts[-1], max(start, y.low), min(end, y.high), "ink", cap=4.0)
    plot.mark(counts[-1], found.estimate or 0.0, colour, size=5.0, tip=_tip(found))
    return drawing


def _estimate_name(found: Finding) -> str:
    return "slope of ranks" if found.tau is not None else "estimate"


def _spanning(estimates: list[float], ends: list[float]) -> Scale:
    """Room for estimates and ends; ends far beyond all estimates are cut off at three times their spread."""
    spread = max(max(estimates) - min(estimates), 0.1)
    low, high = min(*estimates, 0.0) - 3 * spread, max(*estimates, 0.0) + 3 * spread
    return spanning(estimates, include=[0.0, *(min(max(end, low), high) for end in ends)], least=0.1)


def _clip(scale: Scale, end: float | None, edge: float) -> float:
    return edge if end is None or not math.isfinite(end) else min(max(end, scale.low), scale.high)


def _tip(one: Finding) -> str:
    return f"{one.condition or one.claim}\n{one.verdict}: {one.brief}"


def _row(one: Finding) -> dict[str, object]:
    return {
        "claim": one.claim,
        "condition": one.condition,
        "verdict": one.verdict,
        "units": one.n,
        "estimate": one.estimate,
        "low": one.interval[0],
        "high": one.interval[1],
        "t_low": one.planned_interval[0],
        "t_high": one.planned_interval[1],
    }


def _point(found: Finding, count: int, estimate: float, low: float | None, high: float | None) -> dict[str, object]:
    return {"claim": found.claim, "condition": "so far", "units": count, "estimate": estimate, "low": low, "high": high}


FIGURE = Figure("The claims, one by one", 0, _draw)
