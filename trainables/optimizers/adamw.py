"""Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainables.training.recipes import OptimizerKind

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.config import TrainingConfig
    from trainables.training.optimizers import Optimizer


class AdamWKind(OptimizerKind):
    """`torch.optim.AdamW` with beta1 = `momentum`, beta2 = 0.999, eps = 1e-8."""

    def over(self, recipe: TrainingConfig, parameters: Sequence[Tensor]) -> Optimizer:
        """With both moments 0."""
        from torch.optim.adamw import adamw

        from trainables.training.optimizers import Adam

        return Adam(recipe, parameters, adamw)


ENTRY = AdamWKind
