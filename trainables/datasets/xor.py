"""XOR detection (Brutzkus & Globerson 2019, "Why do larger models generalize better?", arXiv:1810.03037)."""

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field

from trainables.data.synthetic import Synthetic, Values


class Xor(Synthetic):
    """x = (x₁, …, x_d) in {±1}^(2d): positive where some pair is (1, 1) or (−1, −1), that is, its two values agree.

    A point is diverse if it shows all four pairs (positive) or both pairs that disagree (negative). Both classes are
    equally likely, and diverse with probability `diverse`; pairs of a diverse point are uniform given that it is, the
    others lack one pair, drawn first, and are uniform over the rest.

    Images are [1, 2, d]: a 2 × 1 filter sees one pair, as the network of the paper does.
    """

    pairs: int = Field(10, ge=4, le=10_000, description="d, pairs an example has")
    diverse: float = Field(0.9, ge=0, le=1, description="share of diverse points")

    def draw(self) -> tuple[Values, npt.NDArray[np.int64], int]:
        """Inputs [n, 1, 2, d] of ±1; label 1 is positive."""
        draws = self.draws("examples")
        labels = torch.randint(2, (self.examples,), generator=draws)
        wanted = torch.rand(self.examples, generator=draws) < self.diverse
        # Kinds 0, 1 are (1, −1), (−1, 1), kinds 2, 3 (1, 1), (−1, −1); a negative point has the first two.
        kinds = torch.zeros(self.examples, self.pairs, dtype=torch.int64)
        left = torch.arange(self.examples)
        while len(left):
            allowed = torch.where(labels[left] == 1, 4, 2)[:, None]
            whole = wanted[left]
            lacking = torch.randint(12, (len(left), 1), generator=draws) % allowed
            other = torch.randint(12, (len(left), self.pairs), generator=draws)
            fresh = torch.where(whole[:, None], other % allowed, (lacking + 1 + other % (allowed - 1)) % allowed)
            shown = torch.stack([(fresh == kind).any(1) for kind in range(4)], dim=1)
            all_shown = shown.sum(1) == allowed[:, 0]
            agrees = shown[:, 2:].any(1)
            fits = (all_shown == whole) & (agrees == (labels[left] == 1))
            kinds[left[fits]] = fresh[fits]
            left = left[~fits]
        signs = torch.tensor([[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])
        x: Values = signs[kinds].mT.contiguous().numpy()
        return x[:, None], labels.numpy(), 2

    def as_bytes(self, inputs: Values) -> npt.NDArray[np.uint8]:
        """−1 is 0, 1 is 255."""
        stored: npt.NDArray[np.uint8] = np.where(inputs > 0, 255, 0).astype(np.uint8)
        return stored


ENTRY = Xor
