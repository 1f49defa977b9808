"""1 − max over other units j of |cos(wᵢ, wⱼ)|, the incoming weights as vectors.

A unit whose weights point where another's do (or the opposite way) scores low; duplicate filters were found so by
RoyChowdhury et al. (Reducing duplicate filters in deep neural networks). A unit without weights scores 0.
Cost: units² · weights a unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import Criterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class Cosine(Criterion):
    """How far a unit points away from its closest neighbour."""

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """[K, units] in [0, 1]; the only unit of a layer scores 1."""
        import torch

        weights = scoring.stack.incoming_weights(group).double()
        norms = weights.square().sum(dim=2, keepdim=True).sqrt()
        unit = weights / norms.where(norms > 0, 1.0)
        near = (unit @ unit.mT).abs().clamp_max(1.0)
        near.diagonal(dim1=1, dim2=2).zero_()
        return torch.where(norms[:, :, 0] > 0, 1 - near.amax(dim=2), 0.0)


ENTRY = Cosine
