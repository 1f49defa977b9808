"""How much the loss changes, to first order, if a unit or weight is removed (Molchanov et al. 2017, 2019).

Single weight: (g·w)², g = ∂L/∂w. Unit, form `weight`: (Σ g·w)² over its incoming weights and its bias
(arXiv:1906.10771), whose root is exactly |first-order change of L| where no batch norm follows. Unit, form
`activation`: mean over examples of |Σ a·∂ℓ/∂a|, over a channel's pixels, ℓ the loss of one example (arXiv:1611.06440).

Cost: one forward and one backward pass over the sample of training examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class Taylor(WeightCriterion):
    """First-order Taylor expansion of the training loss, on labels as given."""

    form: Literal["weight", "activation"] = Field("weight", description="what a unit's expansion is in")

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """(g·w)²."""
        return (scoring.gradients()[tensor] * scoring.stack.tensors()[tensor]).square()

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """As the module says."""
        if self.form == "activation":
            answers = scoring.activations(group)
            return (answers.values * answers.slopes).sum(dim=3).abs().mean(dim=2)
        return unit_products(scoring, group).square()


def unit_products(scoring: Scoring, group: UnitGroup) -> Tensor:
    """[K, units]: Σ g·w over a unit's incoming weights and its bias."""
    return scoring.incoming_products(group, scoring.gradients())


ENTRY = Taylor
