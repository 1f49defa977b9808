"""Cosine coefficients that are trained: each layer is the inverse transform of a few of low frequency.

Coefficients of lowest frequency of every layer but the classifier are trained on the labels from fresh ones at every
level, all others are 0; so are biases, batch norm and the classifier (Koutník et al. 2010 search such coefficients by
evolution; Chen et al. 2016, arXiv:1506.04449, hash them). How few of them learn the same labels?

Cost: `epochs` of training a level, as of the dense network.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from trainables.compression.interfaces import Compressed, Level, Method

if TYPE_CHECKING:
    from trainables.pausing import Pausing
    from trainables.stack.model import StackedModel
    from trainables.workspace import Workspace


class DctTrained(Method):
    """Level l has, in every layer, the largest share of weights as numbers at which the ratio reaches its target."""

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

    def compress(self, workspace: Workspace, level: Level) -> Pausing[Compressed]:
        """Networks of the dense shape made of few numbers."""
        from trainables.compression.generating import trained_numbers
        from trainables.compression.spreading import cosines_for

        make = partial(cosines_for, workspace)
        return trained_numbers(workspace, level, "dct_trained", make, epochs=self.epochs, lr=self.lr)


ENTRY = DctTrained
