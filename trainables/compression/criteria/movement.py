"""−Σ w·g over the steps of dense training, g = ∂L/∂w (Sanh et al. 2020, arXiv:2005.07683): how far it grew a weight.

Of a unit the sum over its incoming weights. Weights that training moved towards zero score lowest, however large they
are. g is the gradient of the loss alone, so that weight decay shrinks weights without lowering their scores; the rate,
which Sanh et al. have in it, is left out. Differs: there scores are learned while pruning, here they are summed up over
the training before it.

Cost: two passes over the weights a step of dense training, and as much memory as the weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring


class Movement(WeightCriterion):
    """Studies of earlier versions traced nothing: there the score stays (w² − w₀²), what gradient flow makes of it."""

    traces_training: ClassVar[bool] = True

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """−Σ w·g."""
        if scoring.movement is not None:
            return scoring.movement.tensors()[tensor]
        return scoring.stack.tensors()[tensor].square() - scoring.initial.tensors()[tensor].square()

    @property
    def needs_initial(self) -> bool:
        """Yes."""
        return True


ENTRY = Movement
