"""Uniform random scores: the baseline of every criterion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import Criterion

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import Tensor

    from trainables.stack.model import Group, StackedModel


class Random(Criterion):
    """U(0, 1), drawn anew at every level; a replicate and its control lose the same units."""

    def scores(self, stack: StackedModel, group: Group, draws: Callable[[int], torch.Generator]) -> Tensor:
        """[K, units] in [0, 1)."""
        import torch

        weights = stack.incoming_weights(group)
        units = weights.shape[1]
        rows = [torch.rand(units, generator=draws(network)) for network in range(stack.networks)]
        return torch.stack(rows).to(weights.device)


ENTRY = Random
