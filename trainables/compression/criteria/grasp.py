"""w ⊙ Hg, H the Hessian of the loss, at initialisation (GraSP, Wang et al. 2020, arXiv:2002.07376).

Of a unit the sum over its incoming weights.

The paper's score is −w ⊙ Hg, of which the largest are removed: to first order in w those whose loss lowers the norm of
the gradient least. With the opposite sign the lowest go first, as everywhere here. Levels look at the weights they
still have as they were before training (see `snip`). The authors' code divides the logits by a temperature of 200.

Cost: three backward passes over the sample of training examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring


class Grasp(WeightCriterion):
    """Gradient signal preservation at initialisation, on labels as given."""

    at: Literal["initial", "trained"] = Field("initial", description="the weights that scores are taken at")
    temperature: float = Field(1.0, gt=0, description="logits are divided by it; numbers have none")

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """w ⊙ Hg."""
        products = scoring.hessian_gradients(self.at, self.temperature)
        return products[tensor] * scoring.at(self.at).tensors()[tensor]

    @property
    def needs_initial(self) -> bool:
        """Unless `at` says otherwise."""
        return self.at == "initial"


ENTRY = Grasp
