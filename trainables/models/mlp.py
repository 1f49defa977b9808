"""The multilayer perceptron: flatten, equally wide ReLU layers, a linear classifier."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from trainables.stack.interfaces import Model, Shape

if TYPE_CHECKING:
    import torch

    from trainables.config import ModelConfig
    from trainables.stack.model import StackedModel


class MLP(Model):
    """Prunable groups: the hidden layers, all of `width` units."""

    reads: ClassVar[tuple[str, ...]] = ("hidden_layers",)

    def widths(self, config: ModelConfig) -> Shape:
        """`width`, `hidden_layers` times."""
        return (config.width,) * config.hidden_layers

    def parameter_count(self, widths: Shape, input_shape: Shape, num_classes: int) -> int:
        """Σ (inputs + 1) · outputs over layers."""
        return sum((i + 1) * o for i, o in itertools.pairwise(_sizes(widths, input_shape, num_classes)))

    def weight_counts(self, widths: Shape, input_shape: Shape, num_classes: int) -> Shape:
        """inputs · outputs of each layer."""
        return tuple(i * o for i, o in itertools.pairwise(_sizes(widths, input_shape, num_classes)))

    def multiply_adds(self, widths: Shape, input_shape: Shape, num_classes: int) -> int:
        """Σ inputs · outputs over layers."""
        return sum(i * o for i, o in itertools.pairwise(_sizes(widths, input_shape, num_classes)))

    def build(
        self,
        config: ModelConfig,
        widths: Shape,
        input_shape: Shape,
        num_classes: int,
        draws: Sequence[torch.Generator],
    ) -> StackedModel:
        """Normal weights of `init` times `init_scale`, zero biases; dropout and tied units after each ReLU."""
        from trainables.stack.mlp import StackedMLP

        sizes = _sizes(widths, input_shape, num_classes)
        tied = (config.tied_units, config.tied_examples) if config.tied_units else None
        return StackedMLP(sizes, config.init_scale, draws, config.dropout, config.init, tied=tied)


def _sizes(widths: Shape, input_shape: Shape, num_classes: int) -> Shape:
    return (math.prod(input_shape), *widths, num_classes)


ENTRY = MLP
