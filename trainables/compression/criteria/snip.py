"""|g·w|, g = ∂L/∂w, at initialisation (SNIP, Lee et al. 2019, arXiv:1810.02340).

Of a unit the sum over its incoming weights.

The paper prunes once, before training. Here a level looks at the units and weights it still has as they were before
training (`at=initial`), whatever they have become since: with `depth=1` and `recovery=rewind` a trial is the paper's
protocol. The paper divides by the sum over all weights, which orders nothing differently.

Cost: one forward and one backward pass over the sample of training examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring


class Snip(WeightCriterion):
    """Connection sensitivity at initialisation, on labels as given."""

    at: Literal["initial", "trained"] = Field("initial", description="the weights that scores are taken at")

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """|g·w|."""
        return (scoring.gradients(self.at)[tensor] * scoring.at(self.at).tensors()[tensor]).abs()

    @property
    def needs_initial(self) -> bool:
        """Unless `at` says otherwise."""
        return self.at == "initial"


ENTRY = Snip
