"""Maxima of windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainables.stack.step import Signal, Start, Step

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class MaxPool(Step):
    """The largest of each square window; `size` 0 takes the whole image."""

    size: int = 2
    stride: int = 2
    padding: int = 0

    def after(self, before: Signal, sizes: Mapping[str, int]) -> Signal:
        """A pixel a window."""
        if not self.size:
            return replace(before, height=1, width=1)
        return before.after_pooling(self.size, self.stride, self.padding)

    def module(self, before: Signal, after: Signal, start: Start) -> nn.Module:
        """The ordinary layer: channels of different networks do not meet."""
        from torch import nn

        from trainables.stack.spatial import Unchanging

        if not self.size:
            return Unchanging(nn.AdaptiveMaxPool2d(1))
        return Unchanging(nn.MaxPool2d(self.size, self.stride, self.padding))
