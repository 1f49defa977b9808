"""How far networks compress by each way that was tried, where all labels are true."""

import pandas as pd

from study.answer import Rank
from study.answer.words import signed
from study.report.drawing import Drawing, mark_path, room_for
from study.report.figure import Absent, Figure, Picture
from study.report.material import Material
from study.report.scales import Scale, number_label

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 520.0, 220.0, 84.0, 12.0, 44.0
_MOST = 40


def _draw(material: Material) -> Picture | Absent:
    ranks = material.answer.ranking[:_MOST]
    if not ranks:
        return Absent("")
    row = 26.0 if len(ranks) <= 12 else 15.0
    bottom = _TOP + row * len(ranks)
    left = room_for((rank.label for rank in ranks), least=_LEFT, size=10.5)
    width = _WIDTH + left - _LEFT
    drawing = Drawing(width, bottom + _BOTTOM, "Compressibility with 95 % interval")
    scale = Scale(0, 1, left, width - _RIGHT)
    for tick in scale.ticks(4):
        drawing.add("path", "grid", d=f"M{scale(tick):.2f} {_TOP:.2f}V{bottom:.2f}")
        drawing.text(scale(tick), bottom + 16, number_label(tick), anchor="middle")
    drawing.text((left + width - _RIGHT) / 2, bottom + 36, "compressibility (0…1)", "axis", anchor="middle")
    for place, rank in enumerate(ranks):
        _row(drawing, scale, rank, (left, _TOP + row * (place + 0.5)))
    over = "trials" if any(rank.ci95 is not None for rank in ranks) else "the networks of one trial"
    columns = {"label": "label", "trials": "trials", "mean": "mean", "ci95": "half"}
    if paired := any(rank.behind is not None for rank in ranks):
        columns |= {"behind": "behind", "behind_ci95": "behind_ci95"}
        over = over.replace("one trial", "one dense cell").replace("trials", "dense cells")
    table = pd.DataFrame([{name: getattr(rank, field) for name, field in columns.items()} for rank in ranks])
    caption = f"Mean compressibility and 95 % Student t interval over {over}; on the labels the networks were given."
    if paired:
        caption += (
            " All compressed the same networks: how much less far each goes than the first, paired on them, is in the "
            "data and on hover."
        )
    return Picture([drawing], caption, table, [], columns=1)


def _row(drawing: Drawing, scale: Scale, rank: Rank, at: tuple[float, float]) -> None:
    left, y = at
    drawing.text(left - 10, y + 3.8, rank.label, "small", anchor="end")
    if rank.half is not None:
        low, high = max(0.0, rank.mean - rank.half), min(1.0, rank.mean + rank.half)
        drawing.add("path", "whisker cat0", d=f"M{scale(low):.2f} {y:.2f}H{scale(high):.2f}")
    value = signed(rank.mean) + ("" if rank.half is None else f" ± {rank.half:.2f}")
    tip = f"{rank.label}: {value}\nn = {rank.trials}"
    if rank.behind is not None:
        half = "" if rank.behind_ci95 is None else f" ± {rank.behind_ci95:.3f}"
        tip += f"\nbehind the first by {signed(rank.behind, 3)}{half}, paired"
    drawing.add("path", "dot cat0", tip=tip, d=mark_path("", scale(rank.mean), y, 4.0))
    drawing.text(drawing.width - 4, y + 3.8, value, "small", anchor="end")


FIGURE = Figure("How far networks compress, by what was tried", 0, _draw)
