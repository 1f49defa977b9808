"""Gradient descent with momentum, Nesterov's if asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from trainables.training.recipes import OptimizerKind

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.config import TrainingConfig
    from trainables.training.optimizers import Optimizer


class SGDKind(OptimizerKind):
    """`torch.optim.SGD` (dampening 0)."""

    reads: ClassVar[tuple[str, ...]] = ("nesterov",)

    def over(self, recipe: TrainingConfig, parameters: Sequence[Tensor]) -> Optimizer:
        """With a momentum buffer of zeros."""
        from trainables.training.optimizers import SGD

        return SGD(recipe, parameters)


ENTRY = SGDKind
