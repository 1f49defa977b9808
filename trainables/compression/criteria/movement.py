"""How far training moved a weight away from zero: w² − w₀²; of a unit the sum over its incoming weights.

Movement (Sanh et al. 2020, arXiv:2005.07683) is −η Σₜ wₜ·gₜ along training. Under gradient flow dw = −g dt, so the sum
is ∫ w dw = (w² − w₀²)/2: the whole path's score from its two ends, with nothing to trace while training. Differs: with
steps of finite size the sum differs from it by Σ Δw²/2, and momentum smooths it. Close to the magnitude increase
|w| − |w₀| of Zhou et al. 2019, arXiv:1905.01067.

Cost: the initial weights, drawn again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.compression.scoring import Scoring


class Movement(WeightCriterion):
    """Weights that training shrank score lowest."""

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """w² − w₀²."""
        return scoring.stack.tensors()[tensor].square() - scoring.initial.tensors()[tensor].square()

    @property
    def needs_initial(self) -> bool:
        """Yes."""
        return True


ENTRY = Movement
