"""What is left goes back to earlier weights and trains again: a lottery ticket.

By default to those before training (Frankle & Carbin 2019, arXiv:1803.03635), with `compression.rewind_to` to those
early in training (late rewinding, Frankle et al. 2019, arXiv:1903.01611). The trained ticket is what the next level
compresses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.compression.interfaces import Recovery

if TYPE_CHECKING:
    from trainables.compression.interfaces import CompressionResult, Level, RecoveryResult
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class Rewind(Recovery):
    """With `compression.ticket` it goes back to where the tickets of the file start."""

    starts_again: ClassVar[bool] = True
    label: ClassVar[str] = "rewinding"
    phrase: ClassVar[str] = "after rewinding"

    def recover(self, workspace: Workspace, level: Level, compressed: CompressionResult) -> Pausing[RecoveryResult]:
        """Trains the tickets."""
        from trainables.compression.interfaces import RecoveryResult
        from trainables.compression.recovery import as_dense, retrain, rewind_weights

        compressed = as_dense(workspace, level, compressed)
        made = yield from retrain(workspace, "recovery", compressed, rewind_weights(workspace, compressed))
        return RecoveryResult(made, made)


ENTRY = Rewind
