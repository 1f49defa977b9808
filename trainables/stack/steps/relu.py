"""Rectified linear units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainables.stack.step import Signal, Start, Step

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ReLU(Step):
    """max(x, 0)."""

    def module(self, before: Signal, after: Signal, start: Start) -> nn.Module:
        """Images in place: no step before it needs its own output for the backward pass."""
        from torch import nn

        from trainables.stack.spatial import Unchanging

        return Unchanging(nn.ReLU(inplace=not before.flat))
