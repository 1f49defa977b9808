"""Any directory of class folders with images in them, decoded once."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from trainables.data.download import one_process, writable_folder
from trainables.data.interfaces import Dataset, Images, Labels, RawData
from trainables.errors import DataUnavailable

_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
_LAYOUT = "expected: PATH/CLASS/*.png (or .jpg …), or PATH/train/CLASS/* and PATH/test/CLASS/*"


class ImageFolder(Dataset):
    """`PATH/CLASS/*`, or `PATH/train/CLASS/*` with `PATH/test/CLASS/*`; classes in alphabetical order.

    Images become squares of `size` pixels a side (bilinear), in RGB or grey, kept as arrays in
    `<data_dir>/image_folder` under a name that depends on every file's name, size and time, so that a change in the
    directory is noticed.
    """

    path: Path | None = Field(None, description="the directory")
    size: int = Field(32, ge=4, le=512, description="pixels a side")
    colour: Literal["rgb", "grey"] = Field("rgb", description="three channels, or one")

    @field_validator("path")
    @classmethod
    def _same_everywhere(cls, path: Path | None) -> Path | None:
        """Trials run in other working directories, so a relative path would mean another place there."""
        if path is not None and not path.is_absolute():
            raise ValueError(f"must be absolute, e.g. {path.absolute()}")
        return path

    def load(self, data_dir: Path) -> RawData:
        """The images, decoded if that has not been done, else mapped into memory. Raises as `Dataset.load`."""
        parts, classes = self._files()
        key = self._key(parts)
        kept = data_dir / "image_folder" / key
        if not kept.is_dir():
            try:
                with writable_folder(kept.parent), one_process(kept.parent / f".{key}.lock"):
                    if not kept.is_dir():
                        self._keep(parts, classes, kept)
            except PermissionError:
                return _raw([self._decode(part, classes, np.empty) for part in parts], len(classes))
        names = [f"{part}_{what}.npy" for part in range(len(parts)) for what in ("images", "labels")]
        arrays = [np.load(kept / name, mmap_mode="c") for name in names]
        return _raw(list(zip(arrays[::2], arrays[1::2], strict=True)), len(classes))

    def files(self, data_dir: Path) -> Mapping[str, Path]:
        """The images, under their names below the directory."""
        root = self.path or Path()
        return {file.relative_to(root).as_posix(): file for part in self._files()[0] for file in part}

    def default_split(self, raw: RawData) -> tuple[int, int, int]:
        """With a test folder: 90 % / 10 % of the training images, and all of test. Without: 60 % / 20 % / 20 %."""
        n = len(raw.labels)
        if raw.test_labels is not None:
            return n - n // 10, n // 10, len(raw.test_labels)
        return n - 2 * (n // 5), n // 5, n // 5

    def _key(self, parts: list[list[Path]]) -> str:
        identity = [self.size, self.colour, *(_identity(part) for part in parts)]
        return hashlib.sha256(repr(identity).encode()).hexdigest()[:16]

    def _files(self) -> tuple[list[list[Path]], list[str]]:
        """Files of [all] or [train, test], and the class names."""
        if self.path is None:
            raise DataUnavailable(f"data.name=image_folder needs data.image_folder.path; {_LAYOUT}.")
        root = self.path
        roots = [root / "train", root / "test"]
        if not all(part.is_dir() for part in roots):
            roots = [root]
        parts = [sorted(f for f in part.glob("*/*") if f.suffix.lower() in _SUFFIXES) for part in roots]
        classes = sorted({file.parent.name for file in parts[0]})
        if len(classes) < 2 or not all(parts):
            raise DataUnavailable(
                f"data.image_folder.path={self.path} holds images of {len(classes)} classes; {_LAYOUT}."
            )
        if strange := {file.parent.name for part in parts for file in part} - set(classes):
            raise DataUnavailable(f"{self.path}: test has classes that train has not: {', '.join(sorted(strange))}.")
        return parts, classes

    def _keep(self, parts: list[list[Path]], classes: list[str], kept: Path) -> None:
        with tempfile.TemporaryDirectory(prefix=".decoding-", dir=kept.parent) as folder:
            done = Path(folder) / "done"
            done.mkdir()
            for part, files in enumerate(parts):
                # Into the file itself: a folder may hold more images than fit into memory.
                make = partial(np.lib.format.open_memmap, done / f"{part}_images.npy", "w+")
                _, labels = self._decode(files, classes, make)
                np.save(done / f"{part}_labels.npy", labels)
            os.rename(done, kept)

    def _decode(self, files: list[Path], classes: list[str], make: Callable[..., Images]) -> tuple[Images, Labels]:
        """Images in the array that `make` makes of a shape, and labels."""
        from PIL import Image

        channels, mode = (3, "RGB") if self.colour == "rgb" else (1, "L")
        images = make(shape=(len(files), channels, self.size, self.size), dtype=np.uint8)
        for index, file in enumerate(files):
            try:
                with Image.open(file) as image:
                    square = image.convert(mode).resize((self.size, self.size), Image.Resampling.BILINEAR)
            except OSError as error:
                raise DataUnavailable(f"{file} cannot be read as an image: {error}.") from error
            images[index] = np.asarray(square).reshape(self.size, self.size, channels).transpose(2, 0, 1)
        number = {name: index for index, name in enumerate(classes)}
        return images, np.array([number[file.parent.name] for file in files], dtype=np.int64)


def _identity(files: list[Path]) -> list[tuple[str, int, int]]:
    return [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]


def _raw(parts: list[tuple[Images, Labels]], num_classes: int) -> RawData:
    images, labels = parts[0]
    test_images, test_labels = parts[1] if len(parts) > 1 else (None, None)
    return RawData(images, labels, test_images, test_labels, num_classes)


ENTRY = ImageFolder
