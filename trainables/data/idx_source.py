"""MNIST and the sets in its format: idx files, mapped into memory without a copy and without torchvision."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from trainables.data.digests import md5
from trainables.data.download import damage_error, download_once
from trainables.data.interfaces import Dataset
from trainables.data.raw import RawData

_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
_CLASSES = 10

Bytes = npt.NDArray[np.uint8]
Classes = npt.NDArray[np.int64]


class IdxDataset(Dataset):
    """60,000 training and 10,000 test images of 28×28 grey values in 10 classes, in `<folder>/raw` of the data folder.

    After a seeded shuffle 55,000 are trained on and 5,000 are for validation; the test split is the standard one.

    Attributes:
        published_md5: MD5 of the four files as published and unpacked, in their order; () if unknown.
    """

    folder: ClassVar[str]
    published_md5: ClassVar[tuple[str, ...]] = ()

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
        images, labels = self._part(data_dir, *_FILES[:2])
        test_images, test_labels = self._part(data_dir, *_FILES[2:])
        if images.shape[1:] != test_images.shape[1:]:
            sizes = [" × ".join(map(str, part.shape[1:])) for part in (images, test_images)]
            raise damage_error(
                self.name(), data_dir, _FILES[2], f"holds images of {sizes[1]}, {_FILES[0]} of {sizes[0]}"
            )
        return RawData(images[:, None], labels, test_images[:, None], test_labels, num_classes=_CLASSES)

    def account(self, data_dir: Path) -> str:
        """Which files are others than those that were published, where that is known."""
        there = self.files(data_dir)
        others = [
            name for name, published in zip(there, self.published_md5, strict=False) if md5(there[name]) != published
        ]
        if not others:
            return ""
        return (
            f"{data_dir.absolute()}: {', '.join(others)} {'is' if len(others) == 1 else 'are'} not as published "
            f"(MD5): what comes out is not about {self.folder} as others know it."
        )

    def _part(self, data_dir: Path, images_file: str, labels_file: str) -> tuple[Bytes, Classes]:
        """The mapped images of one part and its labels, which belong together."""
        raw = data_dir / self.folder / "raw"

        def map_array(file: str, rank: int) -> Bytes:
            try:
                return _map_file(raw / file, rank)
            except (OSError, ValueError) as error:
                raise damage_error(self.name(), data_dir, f"{self.folder}/raw/{file}", str(error)) from error

        images, labels = map_array(images_file, 3), map_array(labels_file, 1)
        if len(images) != len(labels):
            why = f"holds {len(labels):,} labels, {images_file} {len(images):,} images"
            raise damage_error(self.name(), data_dir, f"{self.folder}/raw/{labels_file}", why)
        if len(labels) and labels.max() >= _CLASSES:
            why = f"holds label {labels.max()}, the classes of {self.name()} are 0 to {_CLASSES - 1}"
            raise damage_error(self.name(), data_dir, f"{self.folder}/raw/{labels_file}", why)
        return images, labels.astype(np.int64)

    def files(self, data_dir: Path) -> Mapping[str, Path]:
        """The four idx files."""
        return {name: data_dir / name for name in (f"{self.folder}/raw/{file}" for file in _FILES)}

    def default_split(self, raw: RawData) -> tuple[int, int, int]:
        """55,000 / 5,000 / 10,000; of a smaller copy in the same proportion."""
        assert raw.test_labels is not None
        validation = min(5_000, len(raw.labels) // 12)
        return len(raw.labels) - validation, validation, len(raw.test_labels)


def _complete(raw: Path) -> bool:
    return all((raw / file).is_file() for file in _FILES)


def _fetch(source: type, folder: Path) -> None:
    source(folder, download=True)
    for archive in folder.rglob("*.gz"):
        archive.unlink()


def _map_file(file: Path, rank: int) -> Bytes:
    """The array in an idx file of unsigned bytes (big-endian: 0, 0, 8, rank, then each length in 4 bytes).

    Raises:
        ValueError: Another format or rank, or another number of bytes than the header says.
    """
    with file.open("rb") as stream:
        start = stream.read(4)
        if start != bytes([0, 0, 8, rank]):
            kind = "images" if rank == 3 else "labels"
            raise ValueError(f"is no idx file of {kind}: it begins with {start.hex(' ') or 'nothing'}")
        shape = tuple(int(length) for length in np.frombuffer(stream.read(4 * rank), dtype=">u4"))
    there, said = file.stat().st_size, 4 + 4 * rank + math.prod(shape)
    if len(shape) < rank or there != said:
        raise ValueError(f"has {there:,} bytes where its header says {said:,}")
    if said == 4 + 4 * rank:
        raise ValueError("is empty")
    # Copy on write: torch wants writable memory, and pages are still shared between processes.
    return np.memmap(file, dtype=np.uint8, mode="c", offset=4 + 4 * rank, shape=shape)
