"""What a recipe of training chooses: an optimizer, and how the learning rate goes. Torch-free."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trainables.registry import Entry, Registry

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.config import TrainingConfig
    from trainables.training.optimizers import Optimizer


class OptimizerKind(Entry, ABC):
    """Base of every module of `trainables/optimizers`."""

    @abstractmethod
    def over(self, recipe: TrainingConfig, parameters: Sequence[Tensor]) -> Optimizer:
        """The optimizer of these parameters, each [K, …], before its first step."""


class Schedule(Entry, ABC):
    """Base of every module of `trainables/schedules`."""

    @abstractmethod
    def factor(self, recipe: TrainingConfig, share: float) -> float:
        """What `training.lr` is multiplied by, > 0 before the end.

        Args:
            recipe: Of the training.
            share: Of its steps that lie before this one, 0 … 1.
        """


OPTIMIZERS: Registry[OptimizerKind] = Registry("trainables.optimizers", OptimizerKind, "optimizer")  # type: ignore[type-abstract]
SCHEDULES: Registry[Schedule] = Registry("trainables.schedules", Schedule, "schedule")  # type: ignore[type-abstract]


def optimizer_of(recipe: TrainingConfig) -> OptimizerKind:
    """The optimizer with the fields given for it."""
    return OPTIMIZERS.get(recipe.optimizer).model_validate(recipe.options_of("optimizer"))


def schedule_of(recipe: TrainingConfig) -> Schedule:
    """The schedule with the fields given for it."""
    return SCHEDULES.get(recipe.schedule).model_validate(recipe.options_of("schedule"))
