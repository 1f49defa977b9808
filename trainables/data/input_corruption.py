"""Images made of other images or of noise, in pieces that fit into memory."""

from collections.abc import Callable

import torch
from torch import Tensor

_CHUNK_BYTES = 64 << 20


def gaussian_like(images: Tensor, mean: Tensor, std: Tensor, draws: torch.Generator) -> Tensor:
    """Normal noise of this mean and deviation, cut to 0 … 255, shaped as the images.

    Args:
        images: [n, C, H, W] uint8; only their shape matters.
        mean, std: [C] float32, in units of uint8.
        draws: CPU generator.
    """
    n, channels, height, width = images.shape

    def noise(part: Tensor) -> Tensor:
        drawn = torch.randn(part.shape, generator=draws) * std[None, :, None] + mean[None, :, None]
        return drawn.round_().clamp_(0, 255).to(torch.uint8)

    return in_chunks(images.reshape(n, channels, height * width), noise).reshape_as(images)


def in_chunks(pixels: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """[n, C, pixels] uint8, what `change` makes of some images at a time; a new tensor."""
    chunk = max(1, _CHUNK_BYTES // (8 * pixels.shape[1] * pixels.shape[2]))
    changed = torch.empty_like(pixels)
    for start in range(0, len(pixels), chunk):
        changed[start : start + chunk] = change(pixels[start : start + chunk])
    return changed
