"""A small SVG writer: shapes with classes (colours live in palette.css) and tips that show values on hover."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Literal

Swatch = Literal["line", "dash", "thin", "dot", "ring", "band", "dots", "square", "triangle", "diamond"]


@dataclass(frozen=True)
class Key:
    """An entry of a legend: what a mark of this look and colour means."""

    look: Swatch
    colour: str
    text: str


@dataclass
class Drawing:
    """One panel of a figure, `width` × `height` drawing units (CSS pixels at natural size).

    Args:
        width: Of the panel.
        height: Of the panel.
        label: What it shows, for those who can't see it.
    """

    width: float
    height: float
    label: str
    _parts: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, tag: str, classes: str = "", text: str = "", tip: str = "", **attributes: float | str) -> None:
        """Adds an element; `_` in attribute names stands for `-`, numbers are rounded to 0.01."""
        written = "".join(f' {name.replace("_", "-")}="{_plain(value)}"' for name, value in attributes.items())
        self._parts.append((tag, f' class="{escape(classes)}"{written}' if classes else written, text, tip))

    def text(self, x: float, y: float, text: str, classes: str = "tick", anchor: str = "start", **more: str) -> None:
        """A line of text with its baseline at (x, y)."""
        self.add("text", classes, text=text, x=x, y=y, text_anchor=anchor, **more)

    def inner(self, *, tips_as_titles: bool) -> str:
        """The elements. Tips become `data-tip` for the page's script, or `<title>` for a picture on its own."""
        return "".join(_element(*part, tips_as_titles=tips_as_titles) for part in self._parts)

    def inline(self) -> str:
        """The panel as an element of the page."""
        size = f'viewBox="0 0 {self.width:g} {self.height:g}" style="max-width:{self.width:g}px"'
        label = f'role="img" aria-label="{escape(self.label)}"'
        return f'<svg class="ockham" {size} {label}>{self.inner(tips_as_titles=False)}</svg>'


def room_for(labels: Iterable[str], *, least: float, size: float = 12.0) -> float:
    """How wide a margin holds the longest of these labels, in drawing units; no text is measured, so a little more.

    Args:
        least: The margin's width where all are short.
        size: Of the type.
    """
    return max(least, 18.0 + 0.6 * size * max(map(len, labels), default=0))


def swatch(key: Key) -> Drawing:
    """The sample of a legend entry, 24 × 12."""
    drawing = Drawing(24, 12, key.text)
    if key.look in ("line", "dash", "thin", "dots"):
        drawing.add("path", f"{key.look} {key.colour}", d="M2 6H22")
    elif key.look == "band":
        drawing.add("rect", f"band {key.colour}", x=2, y=1, width=20, height=10)
    else:
        drawing.add("path", f"{'ring' if key.look == 'ring' else 'dot'} {key.colour}", d=mark_path(key.look, 12, 6, 5))
    return drawing


def mark_path(shape: str, x: float, y: float, size: float) -> str:
    """The outline of a mark around (x, y): circle (the default), square, triangle or diamond."""
    if shape == "square":
        s = size * 0.86
        return f"M{x - s:.2f} {y - s:.2f}h{2 * s:.2f}v{2 * s:.2f}h{-2 * s:.2f}z"
    if shape == "triangle":
        return f"M{x:.2f} {y - size * 1.1:.2f}L{x + size:.2f} {y + size * 0.8:.2f}H{x - size:.2f}z"
    if shape == "diamond":
        s = size * 1.2
        return f"M{x:.2f} {y - s:.2f}L{x + s:.2f} {y:.2f}L{x:.2f} {y + s:.2f}L{x - s:.2f} {y:.2f}z"
    return f"M{x - size:.2f} {y:.2f}a{size} {size} 0 1 0 {2 * size} 0a{size} {size} 0 1 0 {-2 * size} 0z"


def palette() -> str:
    """The style sheet that page and single pictures share."""
    return files("study.report").joinpath("palette.css").read_text(encoding="utf-8")


def picture(title: str, drawings: list[Drawing], legend: list[Key], columns: int) -> str:
    """All panels of a figure as one SVG file that needs nothing else."""
    gap, top = 18.0, 40.0
    width = max(columns, 1) * max(d.width for d in drawings) + gap * (columns + 1)
    body = [_nested_svg(Drawing(0, 0, ""), 0, 0)] if not drawings else []
    y = top
    for start in range(0, len(drawings), columns):
        row = drawings[start : start + columns]
        x = gap
        for drawing in row:
            body.append(_nested_svg(drawing, x, y))
            x += max(d.width for d in drawings) + gap
        y += max(d.height for d in row) + gap
    x = gap
    for key in legend:
        long = 34 + 6.6 * len(key.text)
        if x + long > width and x > gap:
            x, y = gap, y + 20
        body.append(_nested_svg(swatch(key), x, y - 4))
        body.append(f'<text class="axis" x="{x + 29:g}" y="{y + 6:g}">{escape(key.text)}</text>')
        x += long
    height = y + (24 if legend else 0)
    style = palette().replace("]]>", "")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ockham alone" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}"><style><![CDATA[{style}]]></style>'
        f'<rect class="paper" width="{width:g}" height="{height:g}"/>'
        f'<text class="head" x="{gap:g}" y="24" style="font-size:15px">{escape(title)}</text>{"".join(body)}</svg>'
    )


def _nested_svg(drawing: Drawing, x: float, y: float) -> str:
    size = f'width="{drawing.width:g}" height="{drawing.height:g}"'
    return f'<svg x="{x:g}" y="{y:g}" {size} overflow="visible">{drawing.inner(tips_as_titles=True)}</svg>'


def _element(tag: str, attributes: str, text: str, tip: str, *, tips_as_titles: bool) -> str:
    inside = escape(text, quote=False)
    if tip and tips_as_titles:
        inside = f"<title>{escape(tip, quote=False)}</title>{inside}"
    elif tip:
        attributes += f' data-tip="{escape(tip)}"'
    return f"<{tag}{attributes}>{inside}</{tag}>" if inside else f"<{tag}{attributes}/>"


def _plain(value: float | str) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
