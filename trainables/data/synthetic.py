"""Data sets that are computed: no files, no download, the same everywhere."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import Field

from trainables.data.interfaces import Dataset
from trainables.data.raw import Labels, RawData
from trainables.seeding import generator

if TYPE_CHECKING:
    import torch

Values = npt.NDArray[np.float32]


class Synthetic(Dataset):
    """Examples drawn by a rule that is known; 60 % are trained on, 20 % are for validation, 20 % for test.

    The rule and the examples depend on the fields alone: other draws are another `seed` here, the study's seed only
    splits them.
    """

    has_images = False
    # 1: inputs were rounded to bytes and reached networks at other scales.
    revision = 2

    examples: int = Field(5000, ge=20, le=10_000_000, description="how many there are")
    seed: int = Field(0, ge=0, lt=2**53, description="of the rule and the examples")

    def load(self, data_dir: Path) -> RawData:
        """All examples, computed; `data_dir` is not used."""
        inputs, labels, outputs = self.draw()
        return RawData(inputs, labels, None, None, outputs)

    @abstractmethod
    def draw(self) -> tuple[Values, Labels, int]:
        """Inputs [n, C, H, W] as networks see them, labels [n, …], number of classes (or of numbers of a target)."""

    def default_split(self, raw: RawData) -> tuple[int, int, int]:
        """60 % / 20 % / 20 %."""
        n = len(raw.labels)
        return n - 2 * (n // 5), n // 5, n // 5

    def draws(self, what: str) -> torch.Generator:
        """The generator of one of its draws."""
        return generator(self.seed, "data", self.name(), what)
