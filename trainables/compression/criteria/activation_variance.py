"""Variance of a unit over training examples and pixels (Polyak & Wolf 2015, inbound pruning).

A constant unit, however large, can be moved into the bias of the layer after it. Cost: one pass over the sample of
training examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import Criterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class ActivationVariance(Criterion):
    """Units that tell no examples apart score low."""

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """[K, units], ≥ 0; biased."""
        return scoring.activations(group).values.flatten(2).var(dim=2, correction=0)


ENTRY = ActivationVariance
