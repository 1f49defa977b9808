"""Colour data sets that torchvision downloads, verifies and reads."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from trainables.data.digests import md5
from trainables.data.download import damage_error, download_once
from trainables.data.interfaces import Dataset
from trainables.data.raw import Images, RawData

RawPart = tuple[Images, Any]


class TorchvisionDataset(Dataset):
    """A set with standard training and test splits. Validation: 5,000 of the training images after a seeded shuffle.

    (45,000 / 5,000 / 10,000 for CIFAR, as in He et al. 2016, arXiv:1512.03385.)
    """

    num_classes: ClassVar[int]
    expected_files: ClassVar[str]
    needed_files: ClassVar[tuple[str, ...]]
    subfolder: ClassVar[str] = ""

    @abstractmethod
    def addresses(self) -> list[str]:
        """Where the set is downloaded from."""

    @abstractmethod
    def parts(self, root: Path, download: bool) -> tuple[RawPart, RawPart]:
        """(images [n, C, H, W] uint8, labels) of training and test split; raises RuntimeError if absent or damaged."""

    @abstractmethod
    def checksums(self) -> dict[str, str]:
        """File below the root → MD5, as torchvision has it and checks it."""

    def load(self, data_dir: Path) -> RawData:
        """The set, read by torchvision; downloaded once if it is missing. Raises as `Dataset.load`."""
        root = data_dir / self.subfolder
        download_once(
            self.name(),
            data_dir,
            self.expected_files,
            present=lambda: all((root / file).is_file() for file in self.needed_files),
            fetch=lambda folder: self._fetch(folder / self.subfolder),
            addresses=self.addresses(),
        )
        try:
            (images, labels), (test_images, test_labels) = self.parts(root, download=False)
        except (OSError, RuntimeError, ValueError, EOFError) as error:
            wrong = [name for name, published in self.checksums().items() if md5(root / name) != published]
            files = ", ".join(f"{self.subfolder}/{name}".lstrip("/") for name in wrong) or "one of its files"
            why = "not as published (MD5)" if wrong else f"not readable ({error})"
            raise damage_error(self.name(), data_dir, files, f"{'are' if len(wrong) > 1 else 'is'} {why}") from error
        return RawData(
            np.ascontiguousarray(images, dtype=np.uint8),
            np.asarray(labels, dtype=np.int64),
            np.ascontiguousarray(test_images, dtype=np.uint8),
            np.asarray(test_labels, dtype=np.int64),
            self.num_classes,
        )

    def files(self, data_dir: Path) -> Mapping[str, Path]:
        """The files that torchvision reads."""
        return {file: data_dir / self.subfolder / file for file in self.needed_files}

    def default_split(self, raw: RawData) -> tuple[int, int, int]:
        """All but 5,000 of the training images, those 5,000, and the standard test split."""
        assert raw.test_labels is not None
        return len(raw.labels) - 5_000, 5_000, len(raw.test_labels)

    def _fetch(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.parts(folder, download=True)
        for archive in folder.rglob("*.gz"):
            archive.unlink()
