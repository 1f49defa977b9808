"""How a GPU multiplies: tf32 keeps ten bits of each factor's mantissa where the backends' settings allow it; and what
its kernels ask of their arguments."""

from collections.abc import Callable, Sequence
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


def require_one_layout(lists: Sequence[Any]) -> None:
    """As kernels of all parameters at once want it: each with its gradient and state, laid out alike and dense."""
    parameters, *others = (part for part in lists if isinstance(part, list | tuple) and part)
    for tensors in others:
        for parameter, tensor in zip(parameters, tensors, strict=True):
            if tensor.ndim and (tensor.stride() != parameter.stride() or tensor.dtype != parameter.dtype):
                raise RuntimeError(
                    "params, grads, exp_avgs, and exp_avg_sqs must have same dtype, device, and layout: "
                    f"{list(parameter.shape)} has strides {parameter.stride()} and {tensor.stride()}"
                )
