"""Affine maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainables.stack.step import Signal, Start, Step, UnitCut

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Linear(Step):
    """An affine map of everything that comes in, flattened, to `units`."""

    units: str

    @property
    def makes(self) -> tuple[str, ...]:
        """Its outputs."""
        return (self.units,)

    def after(self, before: Signal, sizes: Mapping[str, int]) -> Signal:
        """Its outputs, no image any more."""
        return Signal(self.units, sizes[self.units], flat=True)

    def parameters(self, before: Signal, after: Signal) -> int:
        """Weights and biases."""
        return self.weights(before, after) + after.channels

    def weights(self, before: Signal, after: Signal) -> int:
        """Inputs × outputs."""
        return before.channels * before.pixels * after.channels

    def multiply_adds(self, before: Signal, after: Signal) -> int:
        """Every weight once."""
        return self.weights(before, after)

    def cuts(self, before: Signal, after: Signal) -> Iterator[UnitCut]:
        """weight [K, I, O], bias [K, 1, O]; a channel that was flattened owns its pixels."""
        yield UnitCut(after.units, "weight", 2, incoming=True)
        yield UnitCut(before.units, "weight", 1, repeat=before.pixels)
        yield UnitCut(after.units, "bias", 2)

    def module(self, before: Signal, after: Signal, start: Start) -> nn.Module:
        """K affine maps, of images if these come in."""
        from trainables.stack.layers import normal_linear
        from trainables.stack.spatial import FlatteningLinear

        inputs = before.channels * before.pixels
        linear = normal_linear(inputs, after.channels, start.scale, start.draws, start.init)
        return linear if before.flat else FlatteningLinear(linear.weight, linear.bias)
