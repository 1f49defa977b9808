"""How far networks are from saying something else."""

import torch
from torch import Tensor


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """[K, B]: the logit of the label less the largest other one; with its graph where logits have one.

    Args:
        logits: [K, B, C].
        labels: [K, B] int64.
    """
    index = labels[..., None]
    others: Tensor = logits.scatter(2, index, -torch.inf).amax(dim=2)
    return logits.gather(2, index)[..., 0] - others
