"""|w|; of a unit ‖w‖₂ of its incoming weights (Li et al. 2017, arXiv:1608.08710, with the other norm). Cost: none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class MagnitudeL2(WeightCriterion):
    """Euclidean norm of the incoming weights; the bias does not count. Of single weights the same as `magnitude_l1`."""

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """|w|."""
        return scoring.stack.tensors()[tensor].abs()

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """√Σw²."""
        return scoring.stack.incoming_weights(group).square().sum(dim=2).sqrt()


ENTRY = MagnitudeL2
