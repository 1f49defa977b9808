"""w_u² / Σ_{|w_v| ≥ |w_u|} w_v² within a layer; of a unit the same with ‖w‖² (LAMP, Lee et al. 2021, arXiv:2010.07611).

Within a layer it orders as magnitude does; its point is `scope=global`, where it shares the budget out to layers.
Equal weights are taken in their order, so that no two have the same rank. Cost: one sort.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class Lamp(WeightCriterion):
    """Layer-adaptive magnitude; the largest of each layer scores 1."""

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """In [0, 1], float64."""
        weights = scoring.stack.tensors()[tensor]
        return _lamp(weights.double().square().flatten(1)).view(weights.shape)

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """Scores from ‖w‖²."""
        return _lamp(scoring.stack.incoming_weights(group).double().square().sum(dim=2))


def _lamp(squares: Tensor) -> Tensor:
    """[K, n] → squares over the sum of all that come no earlier in ascending order."""
    ascending, order = squares.sort(dim=1, stable=True)
    remaining = ascending.flip(1).cumsum(dim=1).flip(1)
    # Where all that remains is 0 the score is 0.
    shares = ascending / remaining.where(remaining > 0, 1.0)
    return shares.new_empty(shares.shape).scatter_(1, order, shares)


ENTRY = Lamp
