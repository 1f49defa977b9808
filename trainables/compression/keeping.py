"""Which units stay, given their scores."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor


def units_to_keep(
    scores: Sequence[Tensor], kept: Sequence[int], direction: Literal["lowest", "highest"]
) -> list[Tensor]:
    """Exactly so many units of each group of each network, in their order.

    Args:
        scores: For each group [K, units].
        kept: For each group 1 … units.
        direction: Which scores go first. Of equal scores the unit with the smaller index goes first.
    Returns:
        For each group [K, kept] int64, ascending.
    Raises:
        ValueError: `kept` is out of range, or a score is not finite.
    """
    for found, count in zip(scores, kept, strict=True):
        if not 1 <= count <= found.shape[1]:
            raise ValueError(f"cannot keep {count} of {found.shape[1]} units")
    if not torch.stack([found.isfinite().all() for found in scores]).all():
        raise ValueError("scores must be finite")
    orders = [found.argsort(dim=1, descending=direction == "highest", stable=True) for found in scores]
    return [order[:, order.shape[1] - count :].sort(dim=1).values for order, count in zip(orders, kept, strict=True)]
