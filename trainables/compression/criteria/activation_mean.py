"""Mean activation of a unit over training examples and pixels (Molchanov et al. 2017, arXiv:1611.06440).

Cost: one pass over the sample of training examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import Criterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class ActivationMean(Criterion):
    """Units that are off most of the time score low."""

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """[K, units], ≥ 0."""
        return scoring.activations(group).values.flatten(2).mean(dim=2)


ENTRY = ActivationMean
