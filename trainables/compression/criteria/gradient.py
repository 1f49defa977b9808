"""|g|, g = ∂L/∂w; of a unit Σ|g| over its incoming weights (as a baseline in Blalock et al. 2020, arXiv:2003.03033).

Cost: one forward and one backward pass over the sample of training examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring


class Gradient(WeightCriterion):
    """Gradient magnitude of the training loss, on labels as given."""

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """|g|."""
        return scoring.gradients()[tensor].abs()


ENTRY = Gradient
