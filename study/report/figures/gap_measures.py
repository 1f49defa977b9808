"""Which measure tracks the generalization gap: each one's rank correlation with it, at equal conditions."""

from study.answer.gap_associations import gap_table
from study.answer.gap_model import GapAssociation, GapTable
from study.answer.pairwise import Estimate
from study.answer.strata import COMPRESSIBILITY
from study.answer.words import bare_p, join_words, with_ends, with_sign
from study.errors import UsageError
from study.report.drawing import Drawing, Key, mark_path, picture, room_for
from study.report.figure import Absent, Figure, Picture
from study.report.material import Material
from study.report.scales import Scale, number_label

_WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 820.0, 21.0, 190.0, 210.0, 62.0
_MOST = 40


def _draw(material: Material) -> Picture | Absent:
    as_planned = material.verdicts.guarantee == "planned"
    found = gap_table([(material.trials, material.networks)], as_planned=as_planned)
    if len(found.rows) < 2:  # compressibility alone has a figure of its own
        return Absent("")
    return gap_picture(found)


def gap_svg(found: GapTable) -> str:
    """The figure of a table as an SVG file.

    Raises:
        UsageError: No measure is held against the gap.
    """
    shown = gap_picture(found)
    if isinstance(shown, Absent):
        raise UsageError(shown.reason)
    return picture(FIGURE.title, shown.panels, shown.legend, shown.columns)


def gap_picture(found: GapTable) -> Picture | Absent:
    """The figure of a table of one or several studies, the clearest measures first."""
    rows = [row for row in found.rows if not row.reason]
    if not rows:
        return Absent(f"No measure is held against the gap: {found.rows[0].reason}." if found.rows else "")
    left_out = f" The {_MOST} clearest of {len(rows)}." if len(rows) > _MOST else ""
    inside = join_words(found.within) if found.within else "the study"
    caption = (
        "Each line is a number of dense networks. Mark and line: rank correlation with the generalization gap within "
        f"{inside}, and its 95 % interval; to the right of 0 the gap is larger where the number is. Filled marks are "
        "found, open ones are not; the diamond is compressibility. Ψ averages Kendall’s τ over cells in which one "
        f"training field varies (Jiang et al. 2020). n = {max(row.n for row in rows)}.{left_out} "
        f"{' '.join(found.notes)}"
    )
    legend = [
        Key("dot", "noisy", "found, larger gap"),
        Key("dot", "clean", "found, smaller gap"),
        Key("ring", "ink", "not found"),
    ]
    return Picture([_drawing(rows[:_MOST])], caption, found.as_frame(), legend, columns=1)


def _drawing(rows: list[GapAssociation]) -> Drawing:
    left = room_for((row.name for row in rows), least=_LEFT)
    width, height = _WIDTH + left - _LEFT, _TOP + _ROW * len(rows) + 44
    drawing = Drawing(width, height, "Rank correlation of each measure with the generalization gap")
    scale = Scale(-1, 1, left, width - _RIGHT)
    bottom = height - 40
    for tick in (-1.0, -0.5, 0.0, 0.5, 1.0):
        drawing.add("path", "grid" if tick else "zero", d=f"M{scale(tick):.2f} {_TOP - 10:.2f}V{bottom:.2f}")
        drawing.text(scale(tick), bottom + 16, number_label(tick), anchor="middle")
    drawing.text(scale(0) - 6, _TOP - 18, "smaller gap ←", "small", anchor="end")
    drawing.text(scale(0) + 6, _TOP - 18, "→ larger gap", "small")
    for at, head in _columns(width, "association", "Ψ", "q"):
        drawing.text(at, _TOP - 18, head, "small", anchor="end")
    drawing.text(scale(0), bottom + 33, "rank correlation with the gap at equal conditions", "axis", anchor="middle")
    for place, row in enumerate(rows):
        _line(drawing, scale, row, (left, _TOP + 6 + _ROW * place))
    return drawing


def _columns(width: float, *texts: str) -> list[tuple[float, str]]:
    return list(zip((width - 128, width - 68, width - 4), texts, strict=True))


def _line(drawing: Drawing, scale: Scale, row: GapAssociation, at: tuple[float, float]) -> None:
    left, y = at
    one = row.association
    value = one.value or 0.0
    colour = "ink" if not row.is_discovery else "noisy" if value > 0 else "clean"
    drawing.text(left - 12, y + 4, row.name, "value", anchor="end")
    mark = "diamond" if row.name == COMPRESSIBILITY else ""
    if one.low is not None and one.high is not None:
        drawing.add("path", f"whisker {colour}", d=f"M{scale(one.low):.2f} {y:.2f}H{scale(one.high):.2f}")
    drawing.add("path", f"{'dot' if row.is_discovery else 'ring'} {colour}", d=mark_path(mark, scale(value), y, 4.5))
    for place, text in _columns(drawing.width, with_sign(value), _words(row.psi), bare_p(row.q)):
        drawing.text(place, y + 4, text, "value", anchor="end")
    tip = (
        f"{row.name}: {row.says}\nassociation {_words(one, whole=True)}, Kendall τ {with_sign(row.tau or 0.0)}\n"
        f"Ψ {_words(row.psi, whole=True)}, CMI {_words(row.cmi, whole=True)}\n"
        f"given norm and margin {_words(row.partial, whole=True)}"
    )
    drawing.add("rect", "hit", tip=tip, x=0, y=y - _ROW / 2, width=drawing.width, height=_ROW)


def _words(one: Estimate, *, whole: bool = False) -> str:
    if one.value is None:
        return one.reason if whole else "–"
    return with_ends(one.value, one.low, one.high) if whole else with_sign(one.value)


FIGURE = Figure("Which measure tracks the generalization gap", 31, _draw)
