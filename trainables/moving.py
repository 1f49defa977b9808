"""Tensors between host and device, with as few waits as can be: a host that waits leaves its GPU without work."""

from collections.abc import Sequence

import torch
from torch import Tensor


def to_device(values: Tensor | Sequence[int] | Sequence[float], device: torch.device) -> Tensor:
    """On the device, without waiting until it has done what it was asked before."""
    tensor = values if isinstance(values, Tensor) else torch.tensor(values)
    return tensor.to(device, non_blocking=True)


def to_host(tensors: Sequence[Tensor]) -> list[Tensor]:
    """All of them on the CPU, after a single wait; those that are there already as they are."""
    moved = [tensor.to("cpu", non_blocking=True) for tensor in tensors]
    if any(tensor.is_cuda for tensor in tensors):
        torch.cuda.synchronize()
    return moved
