"""|γ| of the batch norm that follows (network slimming, Liu et al. 2017, arXiv:1708.06519).

Of channels that several batch norms make together (residual connections) the sum. The paper trains with an L1 penalty
on γ. Cost: none. Refused for models without batch norm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import Criterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class BatchNormScale(Criterion):
    """Channels that batch norm scales down score low."""

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """[K, units], ≥ 0.

        Raises:
            ValueError: No batch norm follows these units.
        """
        import torch

        from trainables.looking.places import batch_norms

        names = batch_norms(group)
        if not names:
            raise ValueError(
                f"criterion=batch_norm_scale needs a batch norm after every prunable layer; {group.name} of this model "
                "has none. Choose another criterion (e.g. magnitude_l2) or a model with batch norm"
            )
        tensors = scoring.stack.tensors()
        return torch.stack([tensors[f"{name}.weight"].abs() for name in names]).sum(dim=0)


ENTRY = BatchNormScale
