"""A block of lines at the bottom of a terminal, repainted in place; everything else scrolls above it.

Not rich's Live: when a terminal gets narrower its lines wrap, and Live, which moves up by the number of lines it has
printed, then leaves torn copies behind. This counts the rows that the old lines take at the new width.
"""

import io
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from rich.console import Console, RenderableType
from rich.segment import Segment, Segments

from study.passwords import mask_passwords
from study.printable import printable

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"  # terminals that know it show a frame at once; others ignore it


class Painter:
    """Paints `content(width, height)` a few times a second until `stop`.

    While it runs, what the process prints to stdout and stderr goes above the block.
    """

    def __init__(
        self, console: Console, content: Callable[[int, int], RenderableType], *, every_s: float = 0.25
    ) -> None:
        self._console, self._content, self._every_s = console, content, every_s
        self._out: TextIO = console.file  # type: ignore[assignment]
        self._count, self._width = 0, 2  # lines of the block, and the terminal's width when they were painted
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ockham-display", daemon=True)
        self._streams = (sys.stdout, sys.stderr)

    def start(self) -> None:
        """Starts painting."""
        self._out.write(_HIDE)
        sys.stdout, sys.stderr = _TextAbove(self), _TextAbove(self)
        self._thread.start()

    def stop(self) -> None:
        """Wipes the block and leaves the terminal as it was. A second call does nothing."""
        if self._over.is_set():
            return
        self._over.set()
        self._thread.join(timeout=5.0)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = self._streams
        with self._lock:
            self._out.write(self._wipe() + _SHOW)
            self._out.flush()
            self._count = 0

    def above(self, text: str) -> None:
        """Prints whole lines above the block."""
        with self._lock:
            self._paint([f"{line}\x1b[K\n" for line in printable(mask_passwords(text)).rstrip().split("\n")])

    def paint(self) -> None:
        """Paints one frame now."""
        with self._lock:
            self._paint([])

    def _paint(self, above: list[str]) -> None:
        """Overwrites the block line by line. Every line is as long as all others (padded, not erased to its end), since
        terminals differ in whether erased cells wrap. The cursor waits in the first column, so that the ^C of an
        interrupt does not move it to another line."""
        width, height = self._console.size
        options = self._console.options.update(width=width - 1, height=None, no_wrap=True, overflow="ellipsis")
        lines = self._console.render_lines(self._content(width - 1, height), options)[: height - 1]
        painted = [segment for line in lines for segment in (*line, Segment.line())][:-1]
        with self._console.capture() as captured:
            self._console.print(Segments(painted), crop=False, end="")
        start = self._back() if width == self._width else self._wipe()
        rest = "\n\x1b[J\x1b[1A" if len(above) + len(lines) < self._rows() else ""
        self._out.write(f"{_BEGIN}{start}{''.join(above)}{captured.get()}{rest}\r{_END}")
        self._out.flush()
        self._count, self._width = len(lines), width

    def _run(self) -> None:
        while True:
            self.paint()
            if self._over.wait(self._every_s):
                return

    def _back(self) -> str:
        """To the first column of the block's first row."""
        rows = self._rows()
        return f"\r\x1b[{rows - 1}A" if rows > 1 else "\r"

    def _rows(self) -> int:
        """Rows that the block takes at the terminal's present width, where its lines may have wrapped."""
        return self._count * -(-(self._width - 1) // max(1, self._console.size.width))

    def _wipe(self) -> str:
        """Row by row: some terminals keep a copy of a screen that is cleared in one go."""
        rows = self._rows()
        if rows == 0:
            return "\r"
        up = f"\x1b[{rows - 1}A" if rows > 1 else ""
        return self._back() + "\x1b[1B".join(["\x1b[2K"] * rows) + up


class _TextAbove(io.TextIOBase):
    """A text stream whose lines appear above the block."""

    def __init__(self, painter: Painter) -> None:
        self._painter, self._held = painter, ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As terminals have it."""
        return "utf-8"

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Holds back an unfinished line."""
        *whole, self._held = (self._held + text).split("\n")
        if whole:
            self._painter.above("\n".join(whole))
        return len(text)

    def flush(self) -> None:
        """Ends an unfinished line."""
        if self._held.strip():
            self._painter.above(self._held)
        self._held = ""
