"""½ H_ii w² with the diagonal of the empirical Fisher matrix, mean over examples of g², as H.

Optimal brain damage (LeCun et al. 1990) with the approximation of Theis et al. 2018, arXiv:1801.05787; of a unit the
sum over its incoming weights. Labels are those given, not drawn from the model.

Cost: one backward pass for each of `examples` examples, alone (the only criterion that needs single examples).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring


class Fisher(WeightCriterion):
    """Second-order change of the training loss if a weight is removed, curvature off the diagonal ignored."""

    examples: int = Field(128, ge=1, description="training examples that curvature is estimated on, at most 512")

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """½ F_ii w²."""
        return scoring.fisher(self.examples)[tensor] * scoring.stack.tensors()[tensor].square() / 2


ENTRY = Fisher
