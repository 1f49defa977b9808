"""Progress as a block that repaints itself at the bottom of a terminal."""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType

from study.display.board import Board
from study.display.frame import frame
from study.display.painter import Painter
from study.events import Outcome

if TYPE_CHECKING:
    from study.config import StudyConfig
    from study.ledger import TrialRow
    from trainables.record import Record


class LiveDisplay:
    """A `study.events.Listener`. Wipes its block when the study is over; the summary takes its place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()  # events come on the driver's thread, frames are drawn on the painter's
        self._board: Board | None = None
        self._painter: Painter | None = None

    def on_start(self, config: "StudyConfig", counts: Mapping[str, int]) -> None:
        """Sets the board up and starts painting."""
        self._board = Board(config, counts)
        self._painter = Painter(self._console, self._content)
        self._painter.start()

    def on_trial_start(self, number: int, params: Mapping[str, Any]) -> None:
        """A new line among the running."""
        with self._lock:
            if self._board is not None:
                self._board.start(number, params)

    def on_step(self, number: int, record: "Record") -> None:
        """Moves the trial's line."""
        with self._lock:
            if self._board is not None:
                self._board.report(number, record)

    def on_trial_end(self, row: "TrialRow") -> None:
        """From the running to the results; a failure's reason stays above."""
        with self._lock:
            if self._board is not None:
                self._board.end(row)
        if row.state == "FAILED":
            self.on_message(f"Trial {row.number} failed: {row.error}")

    def on_message(self, text: str) -> None:
        """A line above the block."""
        if self._painter is not None:
            self._painter.above(text)
        else:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def on_end(self, outcome: Outcome) -> None:
        """Wipes the block."""
        self.close()

    def close(self) -> None:
        """Gives the terminal back, however the run ended."""
        if self._painter is not None:
            self._painter.stop()

    def _content(self, width: int, height: int) -> RenderableType:
        with self._lock:
            return frame(self._board, width, height) if self._board is not None else ""
