"""One permutation of the pixels for all images of a trial: the rule is as it was, for an MLP it changes nothing.

A convolutional network loses its neighbourhoods, and learns another, harder rule; there is nothing to memorise either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.data.conditions import InputKind

if TYPE_CHECKING:
    from torch import Tensor


class ShuffledPixels(InputKind):
    """References: Zhang et al. 2017, arXiv:1611.03530."""

    label: ClassVar[str] = "inputs with shuffled pixels"
    leaves_rule: ClassVar[bool] = True

    def inputs(self, images: Tensor, mean: Tensor, std: Tensor, seed: int, *names: str | int) -> Tensor:
        """The draw's name leaves the split out, so that all splits share one permutation."""
        import torch

        from trainables.seeding import generator

        n, channels, height, width = images.shape
        draws = generator(seed, *names[:-1], "inputs", "shuffled_pixels")
        order = torch.randperm(height * width, generator=draws)
        return images.reshape(n, channels, height * width)[:, :, order].reshape_as(images)


ENTRY = ShuffledPixels
