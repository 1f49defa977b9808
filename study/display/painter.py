"""A block of lines at the bottom of a terminal, repainted in place; everything else scrolls above it.

Not rich's Live: when a terminal gets narrower its lines wrap, and Live, which moves up by the number of lines it has
printed, then leaves torn copies behind. This counts the rows that the old lines take at the new width.
"""

import io
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

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
        self._lines: list[int] = []
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ockham-display", daemon=True)
        self._streams = (sys.stdout, sys.stderr)

    def start(self) -> None:
        """Starts painting."""
        self._out.write(_HIDE)
        sys.stdout, sys.stderr = _Above(self), _Above(self)
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
            self._lines = []

    def above(self, text: str) -> None:
        """Prints whole lines above the block."""
        with self._lock:
            wipe = self._wipe()
            self._lines = []
            self._out.write(f"{_BEGIN}{wipe}{text.rstrip()}\n")
            self.paint()

    def paint(self) -> None:
        """Paints one frame now."""
        with self._lock:
            width, height = self._console.size
            with self._console.capture() as captured:
                self._console.print(self._content(width, height), no_wrap=True, overflow="ellipsis", crop=True)
            lines = captured.get().rstrip("\n").split("\n")[: height - 1]
            body = "\n".join(f"{line}\x1b[K" for line in lines)
            self._out.write(f"{_BEGIN}{self._back()}{body}\x1b[J{_END}")
            self._out.flush()
            self._lines = [cell_len(Text.from_ansi(line).plain) for line in lines]

    def _run(self) -> None:
        while True:
            self.paint()
            if self._over.wait(self._every_s):
                return

    def _back(self) -> str:
        """To the first column of the block's first row, at the terminal's present width."""
        if not self._lines:
            return "\r"
        width = max(1, self._console.size.width)
        rows = sum(max(1, -(-length // width)) for length in self._lines)
        return f"\r\x1b[{rows - 1}A" if rows > 1 else "\r"

    def _wipe(self) -> str:
        return f"{self._back()}\x1b[J"


class _Above(io.TextIOBase):
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
