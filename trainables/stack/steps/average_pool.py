"""Means of windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainables.stack.step import Signal, Start, Step

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class AveragePool(Step):
    """The mean of each square window, windows side by side; `size` 0 takes the whole image."""

    size: int = 0

    def after(self, before: Signal, sizes: Mapping[str, int]) -> Signal:
        """A pixel a window."""
        return before.after_pooling(self.size, self.size, 0) if self.size else replace(before, height=1, width=1)

    def module(self, before: Signal, after: Signal, start: Start) -> nn.Module:
        """The ordinary layer: channels of different networks do not meet."""
        from torch import nn

        from trainables.stack.spatial import Unchanging

        return Unchanging(nn.AvgPool2d(self.size) if self.size else nn.AdaptiveAvgPool2d(1))
