"""Inputs as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.data.conditions import InputKind

if TYPE_CHECKING:
    from torch import Tensor


class TrueInputs(InputKind):
    """Nothing is done."""

    label: ClassVar[str] = "true inputs"
    keeps_inputs: ClassVar[bool] = True
    leaves_rule: ClassVar[bool] = True

    def inputs(self, images: Tensor, mean: Tensor, std: Tensor, seed: int, *names: str | int) -> Tensor:
        """The images themselves."""
        return images


ENTRY = TrueInputs
