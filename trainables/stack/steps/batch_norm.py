"""Batch norm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainables.stack.step import Signal, Start, Step, UnitCut

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class BatchNorm(Step):
    """Normalisation of each channel over the batch, with scale and shift. Folds into the convolution before it."""

    def parameters(self, before: Signal, after: Signal) -> int:
        """Scales and shifts."""
        return 2 * after.channels

    def cuts(self, before: Signal, after: Signal) -> Iterator[UnitCut]:
        """Parameters and statistics [K, C]."""
        for tensor in ("weight", "bias", "running_mean", "running_var"):
            yield UnitCut(after.units, tensor, 1)

    def module(self, before: Signal, after: Signal, start: Start) -> nn.Module:
        """The identity at first."""
        from trainables.stack.batch_norm import StackedBatchNorm

        return StackedBatchNorm(len(start.draws), after.channels)
