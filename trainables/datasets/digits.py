"""Scikit-learn's 1,797 scanned digits of 8×8 pixels. Ships with scikit-learn: no download."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from trainables.data.interfaces import Dataset

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trainables.data.raw import RawData


class Digits(Dataset):
    """Optical recognition of handwritten digits, 10 classes, grey values 0 … 16 scaled to 0 … 255."""

    def load(self, data_dir: Path) -> RawData:
        """All 1,797 images, from the installed scikit-learn; `data_dir` is not used."""
        import numpy as np  # here, for every command that opens a study reads this file
        from sklearn.datasets import load_digits

        from trainables.data.raw import RawData

        digits = load_digits()
        images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
        return RawData(images, digits.target.astype(np.int64), None, None, num_classes=10)

    def files(self, data_dir: Path) -> Mapping[str, Path]:
        """The one that the package has them in; found without importing it, which takes a second."""
        from pathlib import Path

        package = importlib.util.find_spec("sklearn")
        assert package is not None
        assert package.origin is not None
        return {"digits.csv.gz": Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"}

    def default_split(self, raw: RawData) -> tuple[int, int, int]:
        """1000 to train on, 400 for validation, 397 for test."""
        return 1000, 400, 397


ENTRY = Digits
