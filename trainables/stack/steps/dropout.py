"""Dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainables.stack.step import Signal, Start, Step

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Dropout(Step):
    """While training each value is zeroed with probability `rate`, the others are divided by 1 − rate."""

    rate: float

    def module(self, before: Signal, after: Signal, start: Start) -> nn.Module:
        """With a seed a network."""
        from trainables.stack.dropout import StackedDropout

        return StackedDropout(self.rate, start.draws)
