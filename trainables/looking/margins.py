"""How far networks are from saying something else."""

import torch
from torch import Tensor

from trainables.record import MARGIN_STEP

_MOST_STEPS = 127


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """[K, B]: the logit of the label less the largest other one; with its graph where logits have one.

    Args:
        logits: [K, B, C].
        labels: [K, B] int64.
    """
    index = labels[..., None]
    others: Tensor = logits.scatter(2, index, -torch.inf).amax(dim=2)
    return logits.gather(2, index)[..., 0] - others


def margins_in_steps(logits: Tensor, labels: Tensor) -> Tensor:
    """The same in whole steps of `MARGIN_STEP`, int8; beyond its ends at its ends, and 0 where it is no number."""
    steps = margins(logits.float(), labels) / MARGIN_STEP
    return steps.round().clamp(-_MOST_STEPS, _MOST_STEPS).nan_to_num(0.0).to(torch.int8)
