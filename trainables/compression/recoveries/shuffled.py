"""The ticket's mask at random places of each layer: a control of `rewind` (Frankle & Carbin 2019, section 4).

As many weights of each layer as the ticket has, elsewhere, from where they were before training (Zhou et al. 2019,
arXiv:1905.01067). As with `reinit` the mask of every level is that of a chain that rewinds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from trainables.compression.interfaces import Recovery

if TYPE_CHECKING:
    from trainables.compression.interfaces import CompressionResult, Level, RecoveryResult
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class Shuffled(Recovery):
    """For masks of single weights."""

    starts_again: ClassVar[bool] = True
    moves_weights: ClassVar[bool] = True
    label: ClassVar[str] = "shuffled masks"
    phrase: ClassVar[str] = "after training under shuffled masks"

    def recover(self, workspace: Workspace, level: Level, compressed: CompressionResult) -> Pausing[RecoveryResult]:
        """Trains networks under shuffled masks, and the tickets."""
        from trainables.compression.masks import shuffle_masks
        from trainables.compression.recovery import as_dense, beside_the_tickets
        from trainables.compression.tickets import ticket_start

        compressed = as_dense(workspace, level, compressed)
        masks = shuffle_masks(
            compressed.masks or {}, lambda name, k: workspace.draws_for_networks("shuffle", level.number, name)(k)
        )
        control = replace(compressed, masks=masks)
        return (yield from beside_the_tickets(workspace, level, compressed, control, ticket_start(workspace)))


ENTRY = Shuffled
