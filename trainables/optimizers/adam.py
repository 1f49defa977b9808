"""Adam (Kingma & Ba 2015, arXiv:1412.6980); weight decay is part of its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainables.training.recipes import OptimizerKind

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.config import TrainingConfig
    from trainables.training.optimizers import Optimizer


class AdamKind(OptimizerKind):
    """`torch.optim.Adam` with beta1 = `momentum`, beta2 = 0.999, eps = 1e-8."""

    def over(self, recipe: TrainingConfig, parameters: Sequence[Tensor]) -> Optimizer:
        """With both moments 0."""
        from torch.optim.adam import adam

        from trainables.training.optimizers import Adam

        return Adam(recipe, parameters, adam)


ENTRY = AdamKind
