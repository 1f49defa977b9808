"""Input corruption after Zhang et al. 2017 (arXiv:1611.03530): from real images to pure noise.

A pixel is a position: its channels stay together when it moves.
"""

import torch
from torch import Tensor

from trainables.config import Inputs
from trainables.seeding import generator

_CHUNK_BYTES = 64 << 20


def corrupted_inputs(images: Tensor, inputs: Inputs, mean: Tensor, std: Tensor, seed: int, *names: str | int) -> Tensor:
    """`images` after the corruption, drawn once a trial: all its replicates see the same.

    Args:
        images: [n, C, H, W] uint8.
        inputs: `true`: as they are. `shuffled_pixels`: one permutation for all images of the trial. `random_pixels`: a
            permutation for each image. `gaussian`: noise with the mean and variance of the training images, cut to
            0 … 255, without any trace of the image.
        mean, std: [C] float32 in units of uint8, of the true training images.
        seed: The study's.
        names: Name of the draw: trial number first, split last. `shuffled_pixels` leaves the split out, so that all
            splits share one permutation.
    Returns:
        [n, C, H, W] uint8; `images` itself under `true`.
    Cost:
        `random_pixels` sorts n rows of H · W numbers, in chunks of at most 64 MiB.
    """
    if inputs == "true":
        return images
    n, channels, height, width = images.shape
    pixels = images.reshape(n, channels, height * width)
    if inputs == "shuffled_pixels":
        order = torch.randperm(height * width, generator=generator(seed, *names[:-1], "inputs", inputs))
        return pixels[:, :, order].reshape_as(images)
    draws = generator(seed, *names, "inputs", inputs)
    chunk = max(1, _CHUNK_BYTES // (8 * channels * height * width))
    result = torch.empty_like(pixels)
    for start in range(0, n, chunk):
        part = pixels[start : start + chunk]
        if inputs == "random_pixels":
            order = torch.rand(len(part), 1, height * width, generator=draws).argsort(dim=2)
            result[start : start + chunk] = part.gather(2, order.expand_as(part))
        else:
            noise = torch.randn(part.shape, generator=draws) * std[None, :, None] + mean[None, :, None]
            result[start : start + chunk] = noise.round_().clamp_(0, 255).to(torch.uint8)
    return result.reshape_as(images)
