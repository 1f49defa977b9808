"""Training with a group lasso that silences units, which then go (DropNeuron: Pan et al. 2016, arXiv:1606.07326).

loss + λ Σ_units √n (‖incoming weights and bias‖₂ + ‖outgoing weights‖₂), n the numbers in each norm (the paper leaves
the bias out; a unit without incoming weights would then still say it). Networks of the level before train on with it
for `epochs`; after each optimizer step the penalty's proximal step makes units exactly 0 that are not worth it (the
paper takes subgradient steps and cuts off small ones). Then the units with the smallest ‖incoming‖ · ‖outgoing‖ are
removed, as many as the level asks for: silent ones first, which changes nothing.
`level/silent_units` is the share of units that training had made 0.

Weights are trained, so a scratch arm runs beside it: fresh networks of the same widths, trained as many epochs.

Cost: `epochs` of training a level, and two norms a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from trainables.compression.interfaces import CompressionResult, Level, Method

if TYPE_CHECKING:
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class GroupSparse(Method):
    """Exactly the level's widths stay, as with `prune`."""

    trains: ClassVar[bool] = True
    reports: ClassVar[tuple[str, ...]] = ("silent_units",)

    epochs: int = Field(20, ge=1, description="passes over the training examples with the penalty, at each level")
    lr: float | None = Field(None, gt=0, description="learning rate; none: that of the dense training")
    strength: float = Field(0.01, gt=0, description="λ")

    def epochs_to(self, level: int) -> int:
        """Each level goes on from the one before."""
        return level * self.epochs

    def compress(self, workspace: Workspace, level: Level) -> Pausing[CompressionResult]:
        """The networks of the level before, sparser and then smaller."""
        from trainables.compression.group_lasso import sparse_to

        return sparse_to(workspace, level, epochs=self.epochs, lr=self.lr, strength=self.strength)


ENTRY = GroupSparse
