"""What is inside networks that learned, and inside those that memorised: which measures tell them apart."""

from study.answer.measured import MeasureRow, as_frame, measure_rows
from study.report.drawing import Drawing, mark_path
from study.report.figure import Absent, Figure, Picture
from study.report.material import Material
from study.report.scales import Scale

_WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 760.0, 22.0, 236.0, 250.0, 46.0
_MOST = 40


def _draw(material: Material) -> Picture | Absent:
    rows = [row for row in measure_rows(material.trials, material.networks) if row.auc.mean is not None]
    if not rows:
        return Absent("")
    shown = sorted(rows, key=lambda row: (-abs((row.auc.mean or 0.0) - 0.5), row.name))[:_MOST]
    left_out = f" The {_MOST} that tell them apart best, of {len(rows)}." if len(rows) > _MOST else ""
    caption = (
        "Each line is a number of dense networks. Dot: the share of pairs of a clean twin and a noisy network of one "
        "trial (or dense cell) in which the clean one's is larger, mean and 95 % Student t interval over them; at ½ "
        "the number does not tell them apart. Right: means of networks that learned and of those that memorised."
        f"{left_out} n = {max(row.auc.units for row in rows)}."
    )
    return Picture([_drawing(shown)], caption, as_frame(rows), [], columns=1)


def _drawing(rows: list[MeasureRow]) -> Drawing:
    height = _TOP + _ROW * len(rows) + 44
    drawing = Drawing(_WIDTH, height, "How well each measure tells learned from memorised")
    scale = Scale(0, 1, _LEFT, _WIDTH - _RIGHT)
    bottom = height - 40
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        drawing.add("path", "zero" if tick == 0.5 else "grid", d=f"M{scale(tick):.2f} {_TOP - 10:.2f}V{bottom:.2f}")
        drawing.text(scale(tick), bottom + 16, f"{tick:g}", anchor="middle")
    drawing.text(scale(0.5) - 6, _TOP - 20, "larger where memorised ←", "small", anchor="end")
    drawing.text(scale(0.5) + 6, _TOP - 20, "→ larger where learned", "small")
    drawing.text(_WIDTH - 4, _TOP - 20, "learned · memorised", "small", anchor="end")
    drawing.text(scale(0.5), bottom + 33, "share of pairs in which the clean twin's is larger", "axis", anchor="middle")
    for place, row in enumerate(rows):
        _line(drawing, scale, row, _TOP + 6 + _ROW * place)
    return drawing


def _line(drawing: Drawing, scale: Scale, row: MeasureRow, y: float) -> None:
    share = row.auc.mean or 0.0
    half = row.auc.ci95
    colour = "ink" if half is None or abs(share - 0.5) <= half else "clean" if share > 0.5 else "noisy"
    drawing.text(_LEFT - 12, y + 4, row.name, "value", anchor="end")
    if half is not None:
        low, high = scale(max(0.0, share - half)), scale(min(1.0, share + half))
        drawing.add("path", f"whisker {colour}", d=f"M{low:.2f} {y:.2f}H{high:.2f}")
    drawing.add("path", f"dot {colour}", d=mark_path("", scale(share), y, 4.5))
    means = f"{row.learned.mean:.3g} · {row.memorised.mean:.3g}"
    drawing.text(_WIDTH - 4, y + 4, means, "value", anchor="end")
    tip = f"{row.name}: {row.says}\nlearned {row.learned.mean:.4g}, memorised {row.memorised.mean:.4g}"
    drawing.add("rect", "hit", tip=tip, x=0, y=y - _ROW / 2, width=_WIDTH, height=_ROW)


FIGURE = Figure("What tells networks that learned from those that memorised", 30, _draw)
