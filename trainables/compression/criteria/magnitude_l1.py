"""|w|; of a unit Σ|w| over its incoming weights (Li et al. 2017, arXiv:1608.08710). Cost: none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring


class MagnitudeL1(WeightCriterion):
    """L1 norm of the incoming weights; the bias does not count."""

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """|w|."""
        return scoring.stack.tensors()[tensor].abs()


ENTRY = MagnitudeL1
