"""What a figure is, and how the report finds all of them: each module of `study/report/figures` binds one to FIGURE."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from study.report.drawing import Drawing, Key
from study.report.material import Material
from trainables.listing import names_in

PACKAGE = "study.report.figures"


@dataclass(frozen=True)
class Picture:
    """A drawn figure.

    Attributes:
        panels: Its drawings, in reading order.
        caption: What is seen, with n; plain text.
        data: The numbers behind the marks, written as CSV.
        legend: What colours and marks mean.
        columns: Panels side by side where there is room.
        half: Half the page is enough; two such figures in a row stand side by side.
        title: A heading of its own, where that of the figure says more than this study has; "" for the figure's.
        film: Drawings that a screen shows one at a time, with a slider; paper shows the panels.
        moments: What each of these shows, e.g. `epoch 12`.
    """

    panels: list[Drawing]
    caption: str
    data: pd.DataFrame
    legend: list[Key] = field(default_factory=list)
    columns: int = 3
    half: bool = False
    title: str = ""
    film: list[Drawing] = field(default_factory=list)
    moments: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Absent:
    """A figure that this study cannot have, and why; "" where it would make no sense and is not mentioned."""

    reason: str


@dataclass(frozen=True)
class Figure:
    """A figure of the report.

    Attributes:
        title: Its heading, a phrase that says what is compared.
        order: Place on the page; what is drawn of order 0 stands beside the answer.
        draw: Draws it, or says why not.
    """

    title: str
    order: int
    draw: Callable[[Material], Picture | Absent]


def sizes(counts: dict[str, str]) -> str:
    """`n = 4 trials in each panel`, or the count of each panel where they differ."""
    different = set(counts.values())
    if len(different) == 1 and len(counts) > 1:
        return f"n = {different.pop()} in each panel"
    return "n = " + "; ".join(f"{count} at {label}" for label, count in counts.items())


def figures() -> dict[str, Figure]:
    """Module name → figure, in page order. A new figure is one new module in `study/report/figures`."""
    found: dict[str, Figure] = {}
    for name in names_in(PACKAGE):
        entry = getattr(importlib.import_module(f"{PACKAGE}.{name}"), "FIGURE", None)
        if not isinstance(entry, Figure):
            raise TypeError(f"{PACKAGE}.{name} must bind FIGURE to a Figure")
        found[name] = entry
    return dict(sorted(found.items(), key=lambda item: (item[1].order, item[0])))
