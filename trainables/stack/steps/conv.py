"""Square convolutions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainables.stack.step import Signal, Start, Step, UnitCut

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Conv(Step):
    """A square convolution into the channels `units`."""

    units: str
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    bias: bool = True

    @property
    def makes(self) -> tuple[str, ...]:
        """Its channels."""
        return (self.units,)

    def after(self, before: Signal, sizes: Mapping[str, int]) -> Signal:
        """Its channels, at the places of its windows."""
        windows = before.after_pooling(self.kernel, self.stride, self.padding)
        return replace(windows, units=self.units, channels=sizes[self.units])

    def parameters(self, before: Signal, after: Signal) -> int:
        """Kernels and biases."""
        return self.weights(before, after) + self.bias * after.channels

    def weights(self, before: Signal, after: Signal) -> int:
        """Kernels."""
        return before.channels * after.channels * self.kernel**2

    def multiply_adds(self, before: Signal, after: Signal) -> int:
        """Every weight at each pixel; padding counts, since its zeros are multiplied too."""
        return self.weights(before, after) * after.pixels

    def cuts(self, before: Signal, after: Signal) -> Iterator[UnitCut]:
        """weight [K, O, I, kernel, kernel], bias [K, O]."""
        yield UnitCut(after.units, "weight", 1, incoming=True)
        yield UnitCut(before.units, "weight", 2)
        if self.bias:
            yield UnitCut(after.units, "bias", 1)

    def module(self, before: Signal, after: Signal, start: Start) -> nn.Module:
        """As one grouped convolution."""
        from trainables.stack.spatial import StackedConv

        shape = {"kernel": self.kernel, "stride": self.stride, "padding": self.padding}
        return StackedConv(before, after, start, **shape, bias=self.bias)
