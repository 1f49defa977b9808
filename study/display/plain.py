"""Progress as plain lines, for logs, pipes and `ray submit`: one when a trial starts, one when it ends."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from study.config.scores import task_in
from study.display.board import Board
from study.display.words import duration, from_here, key_metrics, metric, setting
from study.events import Outcome

if TYPE_CHECKING:
    from study.config import StudyConfig
    from study.ledger import TrialRow
    from trainables.record import Record


class PlainDisplay:
    """A `study.events.Listener` that writes lines to `out`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._board: Board | None = None

    def on_start(self, config: "StudyConfig", counts: Mapping[str, int]) -> None:
        """Says what is about to run."""
        self._board = board = Board(config, counts)
        title = f": {config.space.title}" if config.space.title else ""
        self._say(f"{config.name}{title}")
        before = f", {board.ended_count} of them done before" if board.ended_count else ""
        self._say(
            f"{config.trials} trials ({config.sampler}, seed {config.seed}){before}, in {from_here(config.directory)}"
        )

    def on_trial_start(self, number: int, params: Mapping[str, Any]) -> None:
        """One line."""
        if self._board is not None:
            self._board.start(number, params)
            spanned = self._board.running[number].params
            self._say(f"{self._prefix()} trial {number} starts  {setting(spanned)}".rstrip())

    def on_step(self, number: int, record: "Record") -> None:
        """Nothing: a log wants ends, not steps."""

    def on_trial_end(self, row: "TrialRow") -> None:
        """One line with the key numbers, or the reason of a failure."""
        if self._board is None:
            return
        self._board.end(row)
        left = self._board.remaining()
        times = f"({duration(self._board.elapsed_s())} elapsed" + (f", about {duration(left)} left)" if left else ")")
        if row.state == "FAILED":
            said = f"failed: {row.error}"
        else:
            numbers = "  ".join(
                f"{label} {metric(row.metrics, name, interval=name == 'contrast/auc')}"
                for label, name in key_metrics(task_in(row.metrics).score)
                if name in row.metrics
            )
            end = "done" if row.state != "PRUNED" else f"stopped at epoch {row.notes.get('pruned/epoch', '?')}"
            said = f"{end} in {duration(row.duration_s)}  {numbers}"
        self._say(f"{self._prefix()} trial {row.number} {said}  {times}")

    def on_message(self, text: str) -> None:
        """One line."""
        self._say(text)

    def on_end(self, outcome: Outcome) -> None:
        """Nothing: the summary follows."""

    def close(self) -> None:
        """Nothing to give back."""

    def _prefix(self) -> str:
        if self._board is None:
            return ""
        total = str(self._board.total)
        return f"[{self._board.ended_count:>{len(total)}}/{total}]"

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)
