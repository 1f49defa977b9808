"""What methods have in common that train few numbers in place of many weights. Torch-free."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from trainables.compression.interfaces import Method

if TYPE_CHECKING:
    from trainables.compression.interfaces import CompressionResult, Level
    from trainables.pausing import Pausing
    from trainables.stack.model import StackedModel
    from trainables.workspace import Workspace


class TrainedNumbers(Method, ABC):
    """A method that trains few numbers in place of many weights, on the labels, from fresh ones at every level."""

    trains: ClassVar[bool] = True
    stage: ClassVar[Literal["shape", "form", "code"]] = "form"
    keeps_widths: ClassVar[bool] = True
    seeds: ClassVar[int] = 0
    """Seeds that a description has, from which places or directions are drawn again."""
    epochs: int = Field(50, ge=1, description="passes over the training examples at each level")
    lr: float | None = Field(None, gt=0, description="learning rate; none: that of the dense training")

    def least_parameters(self, stack: StackedModel) -> int:
        """One number a layer."""
        from trainables.compression.budgets import parameters_with
        from trainables.compression.few_numbers import numbers_for

        return parameters_with(stack, numbers_for(stack, 0), lambda _, count: count)

    def epochs_to(self, level: int) -> int:
        """Each level starts anew."""
        return self.epochs

    def compress(self, workspace: Workspace, level: Level) -> Pausing[CompressionResult]:
        """Networks of the dense shape, trained from fresh numbers."""
        from trainables.compression.generating import trained_numbers

        return trained_numbers(workspace, level, self, epochs=self.epochs, lr=self.lr, seeds=self.seeds)
