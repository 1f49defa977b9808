"""The door to tracking: who tells MLflow and Optuna's tables what the ledger's outbox holds, while a study runs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from study.config import StudyConfig
    from study.stop_flag import StopFlag


class Tracker(Protocol):
    """Takes messages out of the outbox from the moment that it is opened; nothing that it does hurts the study."""

    def finish(
        self,
        status: str,
        summary: Mapping[str, Any],
        artifacts: Path | None,
        *,
        left: Callable[[], int],
        flag: "StopFlag",
    ) -> bool:
        """Empties the outbox and tells how the study ended. False if not everything is taken now.

        Args:
            status: FINISHED or KILLED.
            summary: Metrics (numbers) and tags (text) of the study.
            artifacts: A folder of files that belong to it.
            left: Messages in the outbox; as long as that shrinks, this waits.
            flag: A further interrupt ends the waiting.
        """

    def close(self) -> None:
        """Ends it at once; the outbox keeps what has not been delivered."""


OpenTracker = Callable[["StudyConfig", int, Callable[[str], None]], Tracker]
"""Opens a tracker for a study, with the fence of its driver's lease; it says in a sentence what people should hear."""
