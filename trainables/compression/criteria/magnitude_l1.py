"""Σ|w| over a unit's incoming weights (Li et al. 2017, arXiv:1608.08710)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import Criterion

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import Tensor

    from trainables.stack.model import Group, StackedModel


class MagnitudeL1(Criterion):
    """L1 norm of the incoming weights; the bias does not count."""

    def scores(self, stack: StackedModel, group: Group, draws: Callable[[int], torch.Generator]) -> Tensor:
        """[K, units], ≥ 0."""
        return stack.incoming_weights(group).abs().sum(dim=2)


ENTRY = MagnitudeL1
