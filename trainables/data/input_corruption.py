"""Images made of other images or of noise, in pieces that fit into memory."""

from collections.abc import Callable

import torch
from torch import Tensor

_CHUNK_BYTES = 64 << 20


def gaussian_like(images: Tensor, mean: Tensor, std: Tensor, draws: torch.Generator) -> Tensor:
    """Normal noise of this mean and deviation, shaped as the images and of their kind; bytes are cut to 0 … 255.

    Args:
        images: [n, C, H, W] uint8 or float32; only their shape and kind matter.
        mean, std: [C] float32, in units of the images.
        draws: CPU generator.
    """
    n, channels, height, width = images.shape

    def noise(part: Tensor) -> Tensor:
        drawn = torch.randn(part.shape, generator=draws) * std[None, :, None] + mean[None, :, None]
        return drawn.round_().clamp_(0, 255).to(torch.uint8) if images.dtype == torch.uint8 else drawn

    return in_chunks(images.reshape(n, channels, height * width), noise).reshape_as(images)


def uniform_like(images: Tensor, draws: torch.Generator) -> Tensor:
    """Noise shaped as the images, uniform over all bytes or, where they are numbers, from their least to their largest.

    Args:
        images: [n, C, H, W] uint8 or float32.
        draws: CPU generator.
    """
    if images.dtype == torch.uint8:
        return torch.randint(256, images.shape, generator=draws, dtype=torch.uint8)
    low, high = images.aminmax()
    return torch.rand(images.shape, generator=draws) * (high - low) + low


def in_chunks(pixels: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """[n, C, pixels], what `change` makes of some images at a time; a new tensor."""
    chunk = max(1, _CHUNK_BYTES // (8 * pixels.shape[1] * pixels.shape[2]))
    changed = torch.empty_like(pixels)
    for start in range(0, len(pixels), chunk):
        changed[start : start + chunk] = change(pixels[start : start + chunk])
    return changed
