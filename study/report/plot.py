"""Axes on a drawing, and the marks that go inside them."""

import math
from collections.abc import Callable, Sequence

from study.report.drawing import Drawing, mark_path
from study.report.scales import Scale, number_label

Floats = Sequence[float]


class Plot:
    """A rectangle of a drawing with an x and a y scale.

    Args:
        drawing: Where it is drawn.
        x: Scale of the horizontal axis, on any stretch.
        y: Scale of the vertical axis, on any stretch.
        margins: Left, top, right and bottom, in drawing units.
    """

    def __init__(
        self,
        drawing: Drawing,
        x: Scale,
        y: Scale,
        margins: tuple[float, float, float, float] = (42.0, 46.0, 12.0, 40.0),
    ) -> None:
        left, top, right, bottom = margins
        self.drawing = drawing
        self.left, self.top = left, top
        self.right, self.bottom = drawing.width - right, drawing.height - bottom
        self.x, self.y = x.onto(self.left, self.right), y.onto(self.bottom, self.top)

    def axes(
        self,
        head: str,
        x_title: str,
        y_title: str,
        *,
        x_ticks: Floats | None = None,
        x_label: Callable[[float], str] = number_label,
        y_ticks: Floats | None = None,
        y_label: Callable[[float], str] = number_label,
    ) -> None:
        """Grid, ticks and titles; the y title stands above the axis, so that nobody turns the head."""
        add = self.drawing.add
        for value in self.y.ticks(5) if y_ticks is None else y_ticks:
            y = self.y(value)
            add("path", "grid", d=f"M{self.left:.2f} {y:.2f}H{self.right:.2f}")
            self.drawing.text(self.left - 6, y + 3.8, y_label(value), anchor="end")
        for value in self.x.ticks(5) if x_ticks is None else x_ticks:
            x = self.x(value)
            add("path", "base", d=f"M{x:.2f} {self.bottom:.2f}v4")
            self.drawing.text(x, self.bottom + 16, x_label(value), anchor="middle")
        add("path", "base", d=f"M{self.left:.2f} {self.bottom:.2f}H{self.right:.2f}")
        if head:
            self.drawing.text(4, 14, head, "head")
        self.drawing.text(4, self.top - 13, y_title, "axis")
        self.drawing.text((self.left + self.right) / 2, self.bottom + 33, x_title, "axis", anchor="middle")

    def line(self, xs: Floats, ys: Floats, colour: str, look: str = "line", tip: str = "") -> None:
        """A line through the finite points, along the edge where they lie beyond it; a gap where a value is missing."""
        if path := self._path(xs, ys):
            self.drawing.add("path", f"{look} {colour}", tip=tip, d=path)

    def band(self, xs: Floats, low: Floats, high: Floats, colour: str) -> None:
        """The area between two curves, clipped to the plot; points without an interval are left out."""
        inside = [
            (self.x(x), self._clip(a), self._clip(b))
            for x, a, b in zip(xs, low, high, strict=True)
            if math.isfinite(a) and math.isfinite(b)
        ]
        if len(inside) > 1:
            there = "L".join(f"{x:.2f} {b:.2f}" for x, _, b in inside)
            back = "L".join(f"{x:.2f} {a:.2f}" for x, a, _ in reversed(inside))
            self.drawing.add("path", f"band {colour}", d=f"M{there}L{back}z")

    def mark(
        self, x: float, y: float, colour: str, *, look: str = "dot", shape: str = "", size: float = 4.5, tip: str = ""
    ) -> None:
        """A mark at a point; nothing where it is not finite."""
        if math.isfinite(x) and math.isfinite(y):
            path = mark_path(shape, self.x(x), self.y(y), size)
            self.drawing.add("path", f"{look} {colour}", tip=tip, d=path)

    def whisker(self, x: float, low: float, high: float, colour: str, cap: float = 5.0) -> None:
        """A vertical interval with caps."""
        at, a, b = self.x(x), self.y(low), self.y(high)
        self.drawing.add(
            "path",
            f"whisker {colour}",
            d=f"M{at:.2f} {a:.2f}V{b:.2f}M{at - cap:.2f} {a:.2f}h{2 * cap}M{at - cap:.2f} {b:.2f}h{2 * cap}",
        )

    def level(self, y: float, look: str = "dots", text: str = "") -> None:
        """A horizontal rule, with words at its right end."""
        at = self.y(y)
        self.drawing.add("path", look, d=f"M{self.left:.2f} {at:.2f}H{self.right:.2f}")
        if text:
            self.drawing.text(self.right, at - 4, text, "small", anchor="end")

    def targets(self, xs: Floats, ys: Floats, tips: Sequence[str], size: float = 7.0) -> None:
        """Invisible spots that show their tip on hover."""
        for x, y, tip in zip(xs, ys, tips, strict=True):
            if math.isfinite(x) and math.isfinite(y):
                self.drawing.add("circle", "hit", tip=tip, cx=self.x(x), cy=self._clip(y), r=size)

    def _clip(self, y: float) -> float:
        return min(max(self.y(y), self.top), self.bottom)

    def _path(self, xs: Floats, ys: Floats) -> str:
        path, pen_up = "", True
        for x, y in zip(xs, ys, strict=True):
            if not (math.isfinite(x) and math.isfinite(y)):
                pen_up = True
                continue
            path += f"{'M' if pen_up else 'L'}{self.x(x):.2f} {self._clip(y):.2f}"
            pen_up = False
        return path
