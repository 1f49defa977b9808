"""1 − mean over other units j of |rᵢⱼ|, r the correlation of activations (after Casper et al. 2019, arXiv:1912.04783).

A unit that others repeat scores low. A unit that never changes scores 0: the bias of the next layer repeats it. All of
a family of equal units score low and may go together; `prune.steps` scores anew in between. Cost: one pass over the
sample of training examples, and units² · examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import Criterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class Correlation(Criterion):
    """How little other units of the layer say what this one says."""

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """[K, units] in [0, 1]; the only unit of a layer scores 1 if it ever changes."""
        import torch

        values = scoring.activations(group).values.flatten(2).double()
        centred = values - values.mean(dim=2, keepdim=True)
        norms = centred.square().sum(dim=2).sqrt()
        changes = norms > 1e-12 * values.abs().amax(dim=2).clamp_min(1e-300)
        unit = torch.where(changes[:, :, None], centred / norms.where(changes, 1.0)[:, :, None], 0.0)
        repeated = (unit @ unit.mT).abs().clamp_max(1.0)
        others = repeated.sum(dim=2) - repeated.diagonal(dim1=1, dim2=2)
        return torch.where(changes, 1 - others / max(1, values.shape[1] - 1), 0.0)


ENTRY = Correlation
