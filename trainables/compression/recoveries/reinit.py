"""Fresh weights under the mask of the ticket: a control of `rewind` (Frankle & Carbin 2019, section 2).

At every level the mask comes from a chain that rewinds, which is trained beside them; pruning the controls themselves
would be another experiment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.compression.interfaces import Recovery

if TYPE_CHECKING:
    from trainables.compression.interfaces import CompressionResult, Level, RecoveryResult
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class Reinit(Recovery):
    """References: arXiv:1803.03635."""

    starts_again: ClassVar[bool] = True
    label: ClassVar[str] = "fresh weights"
    phrase: ClassVar[str] = "after training fresh weights"

    def recover(self, workspace: Workspace, level: Level, compressed: CompressionResult) -> Pausing[RecoveryResult]:
        """Trains fresh networks of the level's sizes, and the tickets."""
        from trainables.compression.recovery import as_dense, beside_the_tickets

        compressed = as_dense(workspace, level, compressed)
        fresh = workspace.fresh(level.widths, "reinit", level.number)
        return (yield from beside_the_tickets(workspace, level, compressed, compressed, fresh))


ENTRY = Reinit
