"""A permutation of the pixels for each image: of the image only how often each value comes is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.data.conditions import InputKind

if TYPE_CHECKING:
    from torch import Tensor


class RandomPixels(InputKind):
    """References: Zhang et al. 2017, arXiv:1611.03530.

    Cost: sorts n rows of H · W numbers, in chunks of at most 64 MiB.
    """

    label: ClassVar[str] = "inputs of random pixels"

    def inputs(self, images: Tensor, mean: Tensor, std: Tensor, seed: int, *names: str | int) -> Tensor:
        """A permutation for each image."""
        import torch

        from trainables.data.input_corruption import in_chunks
        from trainables.seeding import generator

        n, channels, height, width = images.shape
        draws = generator(seed, *names, "inputs", "random_pixels")

        def shuffle(part: Tensor) -> Tensor:
            order = torch.rand(len(part), 1, height * width, generator=draws).argsort(dim=2)
            return part.gather(2, order.expand_as(part))

        return in_chunks(images.reshape(n, channels, height * width), shuffle).reshape_as(images)


ENTRY = RandomPixels
