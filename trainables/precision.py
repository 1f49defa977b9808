"""How exactly numbers are computed in training: products on a GPU, the smallest of all on a CPU. The rest is fp32."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

# The first GPUs whose matrix units know tf32 and bf16 (Ampere).
_CAPABILITY = (8, 0)
_DENORMAL_BITS = 1 << 20  # of 1.5e-39, which as a decimal number might be read as 0


def check(precision: str, device: torch.device) -> None:
    """Refuses what the device does not have.

    Raises:
        ValueError: tf32 or bf16 without a GPU, or on one that is too old.
    """
    if precision == "fp32":
        return
    if device.type != "cuda":
        raise ValueError(
            f"training.precision={precision} needs a GPU, this trial runs on {device.type}; use fp32, or give trials a "
            "GPU with --gpus-per-trial"
        )
    capability = torch.cuda.get_device_capability(device)
    if capability < _CAPABILITY:
        raise ValueError(
            f"training.precision={precision} needs a GPU of compute capability {_version(_CAPABILITY)} or more, "
            f"{torch.cuda.get_device_name(device)} has {_version(capability)}; use fp32"
        )


def exact() -> None:
    """From now on products on a GPU are those of IEEE fp32, also in convolutions (PyTorch's own default is tf32).

    Raises:
        RuntimeError: PyTorch does not keep the setting.
    """
    _set("ieee")


@contextmanager
def computing(precision: str, device: torch.device) -> Iterator[None]:
    """Products on a GPU in this precision for the duration, afterwards in IEEE fp32; nothing on a CPU.

    `fp32`: IEEE. `tf32`: 10 bits of mantissa. `bf16`: products and activations in bfloat16, weights, their updates and
    losses in fp32 (autocast).
    """
    if device.type != "cuda":
        yield
        return
    if precision == "tf32":
        _set("tf32")
    try:
        # Without its cache, which would go on with the weights of the first of several steps.
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16", cache_enabled=False):
            yield
    finally:
        if precision == "tf32":
            exact()


@contextmanager
def without_denormals() -> Iterator[None]:
    """On this thread of a CPU, numbers below 1.2e-38 are 0 for the duration, where it can be told so.

    A processor takes up to a hundred times as long over them, and networks that have long fitted have gradients, and
    Adam's means of their squares, of that size.
    """
    before = float(torch.tensor(_DENORMAL_BITS, dtype=torch.int32).view(torch.float32) * 2) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _set(precision: str) -> None:
    backends: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
    for backend in backends:
        backend.fp32_precision = precision
    kept = [backend.fp32_precision for backend in backends]
    if kept != [precision] * len(kept):
        raise RuntimeError(f"products were to be computed in {precision}, but PyTorch has {kept}")


def _version(capability: tuple[int, int]) -> str:
    return ".".join(map(str, capability))
