"""XOR detection (Brutzkus & Globerson 2019, "Why do larger models generalize better?", arXiv:1810.03037)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from trainables.data.synthetic import Synthetic, Values


class Xor(Synthetic):
    """x = (x₁, …, x_d) in {±1}^(2d): positive where some pair is (1, 1) or (−1, −1), that is, its two values agree.

    A point is diverse if it shows all four pairs (positive) or both pairs that disagree (negative). Both classes are
    equally likely, and diverse with probability `diverse`. The others lack exactly one of those pairs, each equally
    often. Given which pairs a point shows, it is uniform over all points that show them.

    Images are [1, 2, d], a pair a column; or, with `layout` pixels, [2, 1, d]: a pair is a pixel of two channels, and a
    1 × 1 filter sees one pair, as the network of the paper does.
    """

    pairs: int = Field(10, ge=4, le=10_000, description="d, pairs an example has")
    layout: Literal["columns", "pixels"] = Field("columns", description="what a pair is in an image")
    diverse: float = Field(0.9, ge=0, le=1, description="share of diverse points")

    def draw(self) -> tuple[Values, npt.NDArray[np.int64], int]:
        """Inputs [n, 1, 2, d] of ±1; label 1 is positive."""
        import torch

        draws = self.draws("examples")
        labels = torch.randint(2, (self.examples,), generator=draws)
        whole = torch.rand(self.examples, generator=draws) < self.diverse
        # Kinds 0, 1 are (1, −1), (−1, 1), kinds 2, 3 (1, 1), (−1, −1); a negative point has the first two.
        allowed = torch.where(labels == 1, 4, 2)[:, None]
        lacking = torch.randint(12, (self.examples, 1), generator=draws) % allowed
        kinds = torch.zeros(self.examples, self.pairs, dtype=torch.int64)
        left = torch.arange(self.examples)
        while len(left):  # what is wanted of an example stays as it was drawn, only its pairs are drawn again
            some, all_of_them = allowed[left], whole[left][:, None]
            other = torch.randint(12, (len(left), self.pairs), generator=draws)
            fresh = torch.where(all_of_them, other % some, (lacking[left] + 1 + other % (some - 1)) % some)
            shown = torch.stack([(fresh == kind).any(1) for kind in range(4)], dim=1).sum(1, keepdim=True)
            fits = (shown == some - 1 + all_of_them.long())[:, 0]
            kinds[left[fits]] = fresh[fits]
            left = left[~fits]
        signs = torch.tensor([[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])
        x: Values = signs[kinds].mT.contiguous().numpy()
        return (x[:, None] if self.layout == "columns" else x[:, :, None]), labels.numpy(), 2


ENTRY = Xor
