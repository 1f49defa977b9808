"""|w| ⊙ ∂R/∂|w| with R = 1ᵀ(∏|W|)1, at initialisation (SynFlow, Tanaka et al. 2020, arXiv:2006.05467).

Of a unit the sum over its incoming weights.

Needs no data. The paper prunes before training in 100 exponential steps, scores taken anew after each, which keeps
layers from emptying. Here a level is one step on the weights it still has, as they were before training; the paper's
protocol is `depth=1`, `prune.steps=100` and `recovery=rewind`.

Cost: one forward and one backward pass of a single input a step, in float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring


class Synflow(WeightCriterion):
    """Synaptic flow at initialisation; biases and running means count as 0."""

    at: Literal["initial", "trained"] = Field("initial", description="the weights that scores are taken at")

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """|w| ⊙ ∂R/∂|w|, float64."""
        return scoring.synaptic_flow(self.at)[tensor]

    @property
    def needs_initial(self) -> bool:
        """Unless `at` says otherwise."""
        return self.at == "initial"


ENTRY = Synflow
