"""Rich's console, for text that may be somebody else's."""

from collections.abc import Iterable

from rich.console import Console
from rich.segment import Segment

from study.printable import printable


class PrintableConsole(Console):
    """Styles are rich's own; commands to the terminal in what is printed are spelled out."""

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        return super()._render_buffer(
            segment if segment.control else Segment(printable(segment.text), segment.style) for segment in buffer
        )
