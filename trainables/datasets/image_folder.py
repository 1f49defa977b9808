"""Any directory of class folders with images in them, decoded once."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from trainables.data.class_folders import LAYOUT, Survey, survey
from trainables.data.digests import content_digests
from trainables.data.download import one_process, writable_folder
from trainables.data.interfaces import Dataset
from trainables.data.private_cache import cache_beside, forget_old
from trainables.data.raw import Labels, RawData
from trainables.errors import DataUnavailable

_FOLDER, _KEPT = "image_folder", 8
_MOST_BAD, _SHOWN = 20, 5
_ACCOUNT = "account.txt"

Bytes = npt.NDArray[np.uint8]


class ImageFolder(Dataset):
    """`PATH/CLASS/*`, or `PATH/train/CLASS/*` with `PATH/test/CLASS/*`; classes in alphabetical order.

    Images become squares of `size` pixels a side (bilinear), in RGB or grey, kept as arrays in
    `<data_dir>/image_folder` under a name that depends on every file's name and content. What was taken and what was
    left is said in a paragraph (`account`); see `class_folders.survey` and `decoding.decoded` for what is taken how.
    """

    # 1: transparency, EXIF orientation and 16 bits were lost, and images beneath subfolders of classes.
    revision = 2

    path: Path | None = Field(None, description="the directory")
    size: int = Field(32, ge=4, le=512, description="pixels a side")
    colour: Literal["rgb", "grey"] = Field("rgb", description="three channels, or one")
    background: Literal["white", "grey", "black"] = Field("white", description="what transparent places show")

    @field_validator("path")
    @classmethod
    def _same_everywhere(cls, path: Path | None) -> Path | None:
        """Trials run in other working directories, so a relative path would mean another place there."""
        if path is not None and not path.is_absolute():
            raise ValueError(f"must be absolute, e.g. {path.absolute()}")
        return path

    def load(self, data_dir: Path) -> RawData:
        """The images, decoded if that has not been done, else mapped into memory. Raises as `Dataset.load`."""
        found = self._survey()
        if (kept := self._cache_folder(found, data_dir)) is None:
            parts = [self._decode(part, found.classes, np.empty)[:2] for part in found.parts]
        else:
            names = [[f"{part}_images.npy", f"{part}_labels.npy"] for part in range(len(found.parts))]
            parts = [(np.load(kept / a, mmap_mode="c"), np.load(kept / b, mmap_mode="c")) for a, b in names]
        images, labels = parts[0]
        test_images, test_labels = parts[1] if len(parts) > 1 else (None, None)
        return RawData(images, labels, test_images, test_labels, len(found.classes))

    def files(self, data_dir: Path) -> Mapping[str, Path]:
        """The images, under their names below the directory."""
        root = self.path or Path()
        return {file.relative_to(root).as_posix(): file for part in self._survey().parts for _, file in part}

    def example_files(self, data_dir: Path) -> tuple[Sequence[str], Sequence[str] | None]:
        """Names below the directory."""
        root = self.path or Path()
        names = [[file.relative_to(root).as_posix() for _, file in part] for part in self._survey().parts]
        return names[0], names[1] if len(names) > 1 else None

    def account(self, data_dir: Path) -> str:
        """What was taken of the directory and what was left, in one paragraph."""
        found = self._survey()
        counts = [f"{len(part):,}" for part in found.parts]
        taken = f"{counts[0]} images" if len(counts) == 1 else f"{counts[0]} training and {counts[1]} test images"
        kept = self._cache_folder(found, data_dir)
        said = [
            *found.remarks,
            *self._images_in_both(found),
            *((kept / _ACCOUNT).read_text(encoding="utf-8").splitlines() if kept else []),
        ]
        return "; ".join([f"{self.path}: {taken} of {len(found.classes)} classes are taken", *said]) + "."

    def _images_in_both(self, found: Survey) -> list[str]:
        """Test images that are trained on."""
        digests = [content_digests({str(file): file for _, file in part}) for part in found.parts]
        trained = set(digests[0].values())
        both = [file for part in digests[1:] for file, digest in part.items() if digest in trained]
        return [f"{len(both):,} test images are also among those of train, byte for byte"] if both else []

    def default_split(self, raw: RawData) -> tuple[int, int, int]:
        """With a test folder: 90 % / 10 % of the training images, and all of test. Without: 60 % / 20 % / 20 %."""
        n = len(raw.labels)
        if raw.test_labels is not None:
            return n - n // 10, n // 10, len(raw.test_labels)
        return n - 2 * (n // 5), n // 5, n // 5

    def _survey(self) -> Survey:
        if self.path is None:
            raise DataUnavailable(f"data.name=image_folder needs data.image_folder.path; {LAYOUT}.")
        return survey(self.path)

    def _cache_folder(self, found: Survey, data_dir: Path) -> Path | None:
        """The folder of decoded arrays, made if need be; None where nothing can be written."""
        digests = content_digests(self.files(data_dir))
        fields = [self.revision, self.size, self.colour, self.background, len(found.parts), sorted(digests.items())]
        key = hashlib.sha256(json.dumps(fields).encode()).hexdigest()[:32]
        folder = cache_beside(data_dir, _FOLDER) if data_dir.is_dir() else data_dir / _FOLDER
        if folder is None:
            return None
        kept = folder / key
        try:
            if not kept.is_dir():
                with writable_folder(folder), one_process(folder / f".{key}.lock"):
                    if not kept.is_dir():
                        self._keep(found, kept)
                        forget_old(folder, _KEPT)
            os.utime(kept)
        except PermissionError:
            return None
        return kept

    def _keep(self, found: Survey, kept: Path) -> None:
        with tempfile.TemporaryDirectory(prefix=".decoding-", dir=kept.parent) as folder:
            done = Path(folder) / "done"
            done.mkdir()
            flat: list[str] = []
            for part, images in enumerate(found.parts):
                # Into the file itself: a folder may hold more images than fit into memory.
                make = partial(np.lib.format.open_memmap, done / f"{part}_images.npy", "w+")
                _, labels, constant = self._decode(images, found.classes, make)
                np.save(done / f"{part}_labels.npy", labels)
                flat += constant
            said = f"{len(flat):,} of them are of one colour each, e.g. {', '.join(flat[:_SHOWN])}\n" if flat else ""
            (done / _ACCOUNT).write_text(said, encoding="utf-8")
            os.rename(done, kept)

    def _decode(
        self, part: tuple[tuple[str, Path], ...], classes: tuple[str, ...], make: Callable[..., Bytes]
    ) -> tuple[Bytes, Labels, list[str]]:
        """Images in the array that `make` makes of a shape, labels, and the names of images that are of one colour."""
        from trainables.data.decoding import decode_image

        channels = 3 if self.colour == "rgb" else 1
        images = make(shape=(len(part), channels, self.size, self.size), dtype=np.uint8)
        bad: list[str] = []
        flat: list[str] = []
        for index, (_, file) in enumerate(part):
            name = str(file.relative_to(self.path or Path()))
            try:
                square = decode_image(file, self.size, "RGB" if channels == 3 else "L", self.background)
            except ValueError as error:
                bad.append(f"{name}: {error}")
                if len(bad) == _MOST_BAD:
                    break
                continue
            if (square == square[0, 0]).all():
                flat.append(name)
            images[index] = square.transpose(2, 0, 1)
        if bad:
            many = (
                f"{len(bad)} image{'s' if len(bad) > 1 else ''}"
                if len(bad) < _MOST_BAD
                else f"{_MOST_BAD} images or more"
            )
            said = "; ".join(bad[:_SHOWN]) + ("; …" if len(bad) > _SHOWN else "")
            raise DataUnavailable(f"{many} in {self.path} can't be used ({said}); convert or remove them.")
        number = {name: index for index, name in enumerate(classes)}
        return images, np.array([number[name] for name, _ in part], dtype=np.int64), flat


ENTRY = ImageFolder
