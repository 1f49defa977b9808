"""Models that are written as plans. Torch-free."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trainables.stack.interfaces import Model, Shape
from trainables.stack.plan import sizes_of, trace, units_of
from trainables.stack.step import Plan
from trainables.stack.steps.tied_units import TiedUnits, with_ties

if TYPE_CHECKING:
    import torch

    from trainables.config import ModelConfig
    from trainables.stack.model import StackedModel

# Group names do not depend on it.
_ANY_SIDE = 32
# Only says where dropout would be.
_ANY_RATE = 0.5


class PlannedModel(Model):
    """A model given by its plan and the published units of each group.

    `model.width` is the width of the first group in a forward pass whose width scales; all others keep their published
    proportion to it, rounded, never below one unit.
    """

    @abstractmethod
    def plan(self, side: int, dropout: float) -> Plan:
        """The steps, for images whose smaller side has `side` pixels."""

    @abstractmethod
    def published_units(self) -> Mapping[str, int]:
        """Name of each group → its units where `model.width` is `default_width`."""

    def widths(self, config: ModelConfig) -> Shape:
        """The published units, scaled by width/default_width."""
        published, scale = self.published_units(), config.width / self.default_width
        return tuple(max(1, round(published[name] * scale)) for name in units_of(self.plan(_ANY_SIDE, 0)))

    def parameter_count(self, widths: Shape, input_shape: Shape, num_classes: int) -> int:
        """Σ over steps."""
        plan = self.plan(min(input_shape[1:]), 0)
        return sum(one.parameters for one in trace(plan, sizes_of(plan, widths, num_classes), input_shape))

    def weight_counts(self, widths: Shape, input_shape: Shape, num_classes: int) -> Shape:
        """How many weights convolutions and affine maps have."""
        plan = self.plan(min(input_shape[1:]), 0)
        sized = trace(plan, sizes_of(plan, widths, num_classes), input_shape)
        return tuple(one.weights for one in sized if one.weights)

    def multiply_adds(self, widths: Shape, input_shape: Shape, num_classes: int) -> int:
        """Σ over convolutions and affine maps; batch norm, which folds into them, does not count."""
        plan = self.plan(min(input_shape[1:]), 0)
        return sum(one.multiply_adds for one in trace(plan, sizes_of(plan, widths, num_classes), input_shape))

    def build(
        self,
        config: ModelConfig,
        widths: Shape,
        input_shape: Shape,
        num_classes: int,
        draws: Sequence[torch.Generator],
    ) -> StackedModel:
        """Normal weights of `init` times `init_scale`, zero biases; batch norm starts as the identity."""
        from trainables.stack.network import StackedNetwork

        side = min(input_shape[1:])
        plan = self.plan(side, config.dropout)
        if config.tied_units:
            step = TiedUnits(config.tied_units, config.tied_examples)
            plan = with_ties(self.plan(side, config.dropout or _ANY_RATE), step, config.dropout)
        scale, init = config.init_scale, config.init
        return StackedNetwork(plan, widths, input_shape, num_classes, init_scale=scale, draws=draws, init=init)
