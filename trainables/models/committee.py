"""The committee machine: one layer of erf units whose answers are added up (Saad & Solla 1995; Goldt et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from trainables.stack.blocks import dropping
from trainables.stack.interfaces import Shape
from trainables.stack.planned import PlannedModel
from trainables.stack.step import CLASSES, Plan
from trainables.stack.steps import Erf, Linear

if TYPE_CHECKING:
    import torch

    from trainables.config import ModelConfig
    from trainables.stack.model import StackedModel


class Committee(PlannedModel):
    """Prunable group: the hidden units; `width` says how many.

    With `outgoing=ones` and `training.trains=first` it is the soft committee machine, whose second layer stays 1.
    Differs from the theory: units have biases, which start at 0.

    References:
        Goldt et al. 2019, arXiv:1906.08632, section 2.
    """

    default_width: ClassVar[int] = 64

    outgoing: Literal["drawn", "ones"] = Field("drawn", description="how the weights of the second layer start")

    def plan(self, side: int, dropout: float) -> Plan:
        """Dropout after the hidden units."""
        return (Linear("hidden"), Erf(), *dropping(dropout), Linear(CLASSES))

    def published_units(self) -> Mapping[str, int]:
        """64."""
        return {"hidden": self.default_width}

    def build(
        self,
        config: ModelConfig,
        widths: Shape,
        input_shape: Shape,
        num_classes: int,
        draws: Sequence[torch.Generator],
    ) -> StackedModel:
        """Normal weights of `init` times `init_scale`; those of the second layer 1 where it starts so."""
        from trainables.looking.places import weight_names

        stack = super().build(config, widths, input_shape, num_classes, draws)
        if self.outgoing == "ones":
            stack.tensors()[weight_names(stack)[-1]].fill_(1.0)
        return stack


ENTRY = Committee
