"""MNIST and the sets in its format: idx files, mapped into memory without a copy and without torchvision."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from trainables.data.download import download_once, unavailable
from trainables.data.interfaces import Dataset, RawData

_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class IdxDataset(Dataset):
    """60,000 training and 10,000 test images of 28×28 grey values in 10 classes, in `<folder>/raw` of the data folder.

    After a seeded shuffle 55,000 are trained on and 5,000 are for validation; the test split is the standard one.
    """

    folder: ClassVar[str]

    @classmethod
    @abstractmethod
    def source(cls) -> type:
        """The torchvision class that downloads and verifies the set; imported only for that."""

    def load(self, data_dir: Path) -> RawData:
        """The mapped files, downloaded once if they are missing. Raises as `Dataset.load`."""
        raw = data_dir / self.folder / "raw"
        expected = f"{self.folder}/raw with {', '.join(_FILES)}"
        if not _complete(raw):
            source = self.source()
            first = source.resources[0][0]  # type: ignore[attr-defined]
            addresses = [f"{mirror}{first}" for mirror in source.mirrors]  # type: ignore[attr-defined]
            download_once(
                self.name(),
                data_dir,
                expected,
                present=lambda: _complete(raw),
                fetch=lambda folder: _fetch(source, folder),
                addresses=addresses,
            )
        try:
            images, labels, test_images, test_labels = (_mapped(raw / file) for file in _FILES)
        except (OSError, ValueError) as error:
            raise unavailable(
                self.name(), data_dir, expected, f"a damaged copy is in the way ({error}); delete it"
            ) from error
        return RawData(
            images[:, None], labels.astype(np.int64), test_images[:, None], test_labels.astype(np.int64), num_classes=10
        )

    def files(self, data_dir: Path) -> Mapping[str, Path]:
        """The four idx files."""
        return {name: data_dir / name for name in (f"{self.folder}/raw/{file}" for file in _FILES)}

    def default_split(self, raw: RawData) -> tuple[int, int, int]:
        """55,000 / 5,000 / 10,000."""
        assert raw.test_labels is not None
        return len(raw.labels) - 5_000, 5_000, len(raw.test_labels)


def _complete(raw: Path) -> bool:
    return all((raw / file).is_file() for file in _FILES)


def _fetch(source: type, folder: Path) -> None:
    source(folder, download=True)
    for archive in folder.rglob("*.gz"):
        archive.unlink()


def _mapped(file: Path) -> npt.NDArray[np.uint8]:
    """The array in an idx file of unsigned bytes (big-endian: 0, 0, 8, rank, then each length in 4 bytes).

    Raises:
        ValueError: Another format, or fewer bytes than the header says.
    """
    with file.open("rb") as stream:
        zeros, kind, rank = stream.read(2), stream.read(1), stream.read(1)
        if zeros != b"\0\0" or kind != b"\x08" or rank not in {b"\1", b"\3"}:
            raise ValueError(f"{file.name} is no idx file of bytes")
        shape = tuple(int(length) for length in np.frombuffer(stream.read(4 * rank[0]), dtype=">u4"))
        start = stream.tell()
    # Copy on write: torch wants writable memory, and pages are still shared between processes.
    return np.memmap(file, dtype=np.uint8, mode="c", offset=start, shape=shape)
