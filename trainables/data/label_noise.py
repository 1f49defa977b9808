"""Which examples are put through label noise: at a small share some of those at a larger one."""

import torch
from torch import Tensor


def selector(count: int, draws: torch.Generator) -> Tensor:
    """[n] float64, uniform over 0 … 1: an example is put through the noise where this is below the share."""
    return torch.rand(count, generator=draws, dtype=torch.float64)
