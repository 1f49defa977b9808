"""What a driver tells whoever watches it. Listeners are called on the driver's thread and must return quickly."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from study.passwords import mask_passwords

if TYPE_CHECKING:
    from study.answer.verdict import Verdicts
    from study.config import StudyConfig
    from study.ledger import TrialRow
    from trainables.record import Record

EXIT_COMPLETE, EXIT_FAILED_TRIALS, EXIT_RESUMABLE = 0, 3, 130


@dataclass(frozen=True)
class Outcome:
    """How a run of a study ended.

    Attributes:
        name: Of the study.
        directory: `<home>/<name>`.
        counts: State → number of trials.
        trials: The budget.
        reason: Why the run stopped before the budget was spent, empty if it did not.
        drained: Whether everything has reached MLflow and Optuna's tables.
        seconds: Wall time of this run.
        report: The report's page, if one was written.
        damaged: Files of results that are not what was written, and how; `ockham resume NAME --repair` mends them.
        verdicts: What is known of its claims; None where that was not worked out: no trial is complete, or the run was
            interrupted.
    """

    name: str
    directory: Path
    counts: Mapping[str, int]
    trials: int
    reason: str
    drained: bool
    seconds: float
    report: Path | None = None
    damaged: tuple[str, ...] = ()
    verdicts: "Verdicts | None" = None

    @property
    def ended_count(self) -> int:
        """Trials that will not run again."""
        return sum(self.counts.get(state, 0) for state in ("COMPLETE", "PRUNED", "FAILED"))

    @property
    def exit_code(self) -> int:
        """0 every trial ended well; 3 some failed; 130 something is left to do."""
        if self.ended_count < self.trials or not self.drained or self.damaged:
            return EXIT_RESUMABLE
        return EXIT_FAILED_TRIALS if self.counts.get("FAILED", 0) else EXIT_COMPLETE


class Listener(Protocol):
    """Watches a study run."""

    def on_start(self, config: "StudyConfig", counts: Mapping[str, int]) -> None:
        """The study is about to run; `counts` (state → trials) are those of earlier runs."""

    def on_trial_start(self, number: int, params: Mapping[str, Any]) -> None:
        """An attempt of a trial began; `params` are the spanned ones."""

    def on_step(self, number: int, record: "Record") -> None:
        """A running trial reported; a resumed one reports its earlier steps again."""

    def on_trial_end(self, row: "TrialRow") -> None:
        """A trial reached its final state."""

    def on_message(self, text: str) -> None:
        """One sentence worth a line of its own."""

    def on_end(self, outcome: Outcome) -> None:
        """The run is over."""


class Discreet:
    """A listener that passes everything on, messages without passwords."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.on_start, self.on_trial_start, self.on_step = listener.on_start, listener.on_trial_start, listener.on_step
        self.on_trial_end, self.on_end = listener.on_trial_end, listener.on_end

    def on_message(self, text: str) -> None:
        """One sentence."""
        self._listener.on_message(mask_passwords(text))


class Silent:
    """A listener that says nothing."""

    def on_start(self, config: "StudyConfig", counts: Mapping[str, int]) -> None:
        """Nothing."""

    def on_trial_start(self, number: int, params: Mapping[str, Any]) -> None:
        """Nothing."""

    def on_step(self, number: int, record: "Record") -> None:
        """Nothing."""

    def on_trial_end(self, row: "TrialRow") -> None:
        """Nothing."""

    def on_message(self, text: str) -> None:
        """Nothing."""

    def on_end(self, outcome: Outcome) -> None:
        """Nothing."""


class Messages(Silent):
    """A listener that passes messages on and nothing else: what goes wrong is said also where no progress is shown."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def on_message(self, text: str) -> None:
        """One sentence."""
        self._say(text)
