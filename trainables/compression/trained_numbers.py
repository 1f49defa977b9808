"""What methods have in common that train few numbers in place of many weights. Torch-free."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from trainables.compression.interfaces import Method

if TYPE_CHECKING:
    from trainables.stack.model import StackedModel


class TrainedNumbers(Method, ABC):
    """A method that trains few numbers in place of many weights, on the labels, from fresh ones at every level."""

    trains: ClassVar[bool] = True
    stage: ClassVar[Literal["shape", "form", "code"]] = "form"
    keeps_widths: ClassVar[bool] = True
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
