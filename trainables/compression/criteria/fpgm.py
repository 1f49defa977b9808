"""Σⱼ‖wᵢ − wⱼ‖₂ over the units of a layer (FPGM, He et al. 2019, arXiv:1811.00250).

Units near the geometric median of their layer can be replaced by the others. On w itself: torch-pruning's class of that
name takes distances of |w|ᵖ, for which a filter and its negative are the same. Cost: units² · weights a unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import Criterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class Fpgm(Criterion):
    """Units near the geometric median score low."""

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """[K, units], ≥ 0."""
        import torch

        weights = scoring.stack.incoming_weights(group)
        # Not through products: their rounding would tell equal units apart.
        return torch.cdist(weights, weights, compute_mode="donot_use_mm_for_euclid_dist").sum(dim=2)


ENTRY = Fpgm
