"""How exactly products are computed in training. Evaluation always computes in fp32."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


def check(precision: str, device: torch.device) -> None:
    """Refuses what the device does not have.

    Raises:
        ValueError: tf32 or bf16 without a GPU.
    """
    if precision != "fp32" and device.type != "cuda":
        raise ValueError(
            f"training.precision={precision} needs a GPU, this trial runs on {device.type}; use fp32, or give trials a "
            "GPU with --gpus-per-trial"
        )


@contextmanager
def computing(precision: str, device: torch.device) -> Iterator[None]:
    """Products on a GPU in this precision for the duration; nothing on a CPU.

    `fp32`: IEEE, also in convolutions (PyTorch's own default there is tf32). `tf32`: 10 bits of mantissa. `bf16`:
    products and activations in bfloat16, weights, their updates and losses in fp32 (autocast).
    """
    if device.type != "cuda":
        yield
        return
    backends: tuple[Any, ...] = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
    before = [backend.fp32_precision for backend in backends]
    for backend in backends:
        backend.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    try:
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16"):
            yield
    finally:
        for backend, old in zip(backends, before, strict=True):
            backend.fp32_precision = old
