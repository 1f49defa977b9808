"""Rich's console, for text that may be somebody else's."""

import io
from collections.abc import Callable, Iterable

from rich.console import Console
from rich.segment import Segment

from study.printable import printable


class PrintableConsole(Console):
    """Styles are rich's own; commands to the terminal in what is printed are spelled out."""

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        return super()._render_buffer(
            segment if segment.control else Segment(printable(segment.text), segment.style) for segment in buffer
        )


def text_for_file(draw: Callable[[Console], None], width: int) -> str:
    """What is drawn on a console that wide, without colours, for a file."""
    text = io.StringIO()
    draw(PrintableConsole(file=text, width=width, no_color=True))
    return text.getvalue().rstrip("\n")
