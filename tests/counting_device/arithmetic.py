"""How a GPU multiplies: tf32 keeps ten bits of each factor's mantissa where the backends' settings allow it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_PRODUCTS = {"mm", "bmm", "addmm", "baddbmm", "matmul"}
_CONVOLUTIONS = {"convolution", "convolution_backward", "_convolution"}


def in_precision(name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The operation on tensors of the CPU, its factors rounded as a GPU would."""
    if not _rounds(name):
        return func(*args, **kwargs)
    return func(*(_rounded(x) if isinstance(x, Tensor) else x for x in args), **kwargs)


def _rounds(name: str) -> bool:
    if name in _PRODUCTS:
        return str(torch.backends.cuda.matmul.fp32_precision) == "tf32"
    if name in _CONVOLUTIONS:
        return str(torch.backends.cudnn.conv.fp32_precision) == "tf32"  # type: ignore[attr-defined]
    return False


def _rounded(x: Tensor) -> Tensor:
    if x.dtype != torch.float32 or x.ndim < 2:
        return x
    bits = x.contiguous().view(torch.int32)
    return ((bits + 0x1000) & ~0x1FFF).view(torch.float32)
