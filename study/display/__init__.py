"""Progress of a study for people: a live block in a terminal, plain lines elsewhere, and a summary at the end."""

import shutil
import sys

from rich.console import Console

from study.display.console import PrintableConsole
from study.display.live import LiveDisplay
from study.display.plain import PlainDisplay

__all__ = ["LiveDisplay", "PlainDisplay", "choose", "terminal"]


def terminal() -> Console:
    """Stdout as rich sees it; as wide as anything needs where it is no terminal."""
    out = getattr(sys.stdout, "styled", sys.stdout)
    console = PrintableConsole(file=out, highlight=False)
    if not console.is_terminal:
        console = PrintableConsole(file=out, highlight=False, width=shutil.get_terminal_size((160, 24)).columns)
    return console


def choose(console: Console) -> LiveDisplay | PlainDisplay:
    """The display that fits where stdout goes."""
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveDisplay(console)
    return PlainDisplay(sys.stdout)
