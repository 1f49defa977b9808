"""Noise with the mean and variance of the training images, without any trace of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.data.conditions import InputKind

if TYPE_CHECKING:
    from torch import Tensor


class Gaussian(InputKind):
    """Cut to 0 … 255. References: Zhang et al. 2017, arXiv:1611.03530."""

    label: ClassVar[str] = "inputs of gaussian noise"

    def inputs(self, images: Tensor, mean: Tensor, std: Tensor, seed: int, *names: str | int) -> Tensor:
        """Independent of the images."""
        from trainables.data.input_corruption import gaussian_like
        from trainables.seeding import generator

        return gaussian_like(images, mean, std, generator(seed, *names, "inputs", "gaussian"))


ENTRY = Gaussian
