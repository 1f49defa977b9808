"""Uniform random scores: the baseline of every criterion. Cost: none.

With `scope=global` compare it with `scope=layer` too: dropped at random over all layers, a narrow layer may lose too
much of itself, which no real criterion with budgets for each layer would do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import Criterion

if TYPE_CHECKING:
    from typing import ClassVar

    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class Random(Criterion):
    """U(0, 1), drawn anew at every level; a replicate and its control lose the same units."""

    scores_weights: ClassVar[bool] = True

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """[K, units] in [0, 1)."""
        return _uniform(scoring, group.name, scoring.stack.incoming_weights(group)[:, :, 0])

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """In [0, 1)."""
        return _uniform(scoring, tensor, scoring.stack.tensors()[tensor])


def _uniform(scoring: Scoring, part: str, like: Tensor) -> Tensor:
    import torch

    rows = [torch.rand(like.shape[1:], generator=scoring.draws(part, k)) for k in range(len(like))]
    return torch.stack(rows).to(like.device)


ENTRY = Random
