"""|w − w₀|; of a unit ‖u − u₀‖₂ of its incoming weights: its capacity in Neyshabur et al. 2019, arXiv:1805.12076.

Cost: the initial weights, drawn again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class DistanceFromInitialisation(WeightCriterion):
    """What training hardly moved scores lowest."""

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """|w − w₀|."""
        return (scoring.stack.tensors()[tensor] - scoring.initial.tensors()[tensor]).abs()

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """‖u − u₀‖₂."""
        moved = scoring.stack.incoming_weights(group) - scoring.initial.incoming_weights(group)
        return moved.square().sum(dim=2).sqrt()

    @property
    def needs_initial(self) -> bool:
        """Yes."""
        return True


ENTRY = DistanceFromInitialisation
