"""Gaussian blobs: each class is a normal distribution around a centre of its own."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from pydantic import Field

from trainables.data.synthetic import Synthetic, Values


class Gaussian(Synthetic):
    """x ~ N(separation · c_y, I)/√(1 + separation²/features) with centres c drawn from the unit sphere.

    Two classes at a right angle are told apart with error Φ(−separation/√2).
    """

    features: int = Field(20, ge=2, le=100_000, description="inputs")
    classes: int = Field(10, ge=2, le=1000, description="one normal distribution each")
    separation: float = Field(4.0, ge=0, le=1000, description="length of the centres, in deviations of a class")

    def draw(self) -> tuple[Values, npt.NDArray[np.int64], int]:
        """Inputs [n, 1, 1, features]; classes are equally likely."""
        import torch

        draws = self.draws("examples")
        centres = torch.nn.functional.normalize(
            torch.randn(self.classes, self.features, generator=self.draws("centres")), dim=1
        )
        labels = torch.randint(self.classes, (self.examples,), generator=draws)
        noise = torch.randn(self.examples, self.features, generator=draws)
        scale = math.sqrt(1 + self.separation**2 / self.features)
        x: Values = ((noise + self.separation * centres[labels]) / scale).numpy()
        return x[:, None, None], labels.numpy(), self.classes


ENTRY = Gaussian
