"""Sigmoid units by the error function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainables.stack.step import Signal, Start, Step

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Erf(Step):
    """erf(x/√2), odd and between −1 and 1, as in the theory of two-layer networks (Saad & Solla 1995)."""

    def module(self, before: Signal, after: Signal, start: Start) -> nn.Module:
        """The same for one network and for many."""
        from trainables.stack.spatial import ErrorFunction, Unchanging

        return Unchanging(ErrorFunction())
