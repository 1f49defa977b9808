"""−Σ_{j ≠ i} ⟨ŵᵢ, ŵⱼ⟩², ŵ the incoming weights at unit norm: how much a unit adds to the frame potential Σᵢⱼ⟨ŵᵢ, ŵⱼ⟩².

The frame potential is lowest where unit vectors are spread evenly (Benedetto & Fickus 2003); a unit in the direction of
many others scores low. A unit without weights scores lowest, as if all others repeated it. Cost: units² · weights a
unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import Criterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class FramePotential(Criterion):
    """How little a unit repeats the directions of the others."""

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """[K, units] in [1 − units, 0]."""
        import torch

        weights = scoring.stack.incoming_weights(group).double()
        norms = weights.square().sum(dim=2, keepdim=True).sqrt()
        unit = weights / norms.where(norms > 0, 1.0)
        products = (unit @ unit.mT).square()
        others = products.sum(dim=2) - products.diagonal(dim1=1, dim2=2)
        return torch.where(norms[:, :, 0] > 0, -others, 1.0 - weights.shape[1])


ENTRY = FramePotential
