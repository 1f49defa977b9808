"""What of a directory of class folders is taken for examples, and what is left, in words."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trainables.errors import DataUnavailable

SUFFIXES = frozenset(
    (".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
)
LAYOUT = "expected: PATH/CLASS/*.png (or .jpg …), or PATH/train/CLASS/* and PATH/test/CLASS/*"
_VALIDATION = ("val", "valid", "validation")
_PARTS = ("train", "test", *_VALIDATION)
_SHOWN = 5


@dataclass(frozen=True)
class Survey:
    """Images by class.

    Attributes:
        parts: Of [all] or [train, test]: (class, file) of each image, by path.
        classes: In alphabetical order.
        remarks: One clause for each kind of thing that was not taken, or that is worth knowing.
    """

    parts: tuple[tuple[tuple[str, Path], ...], ...]
    classes: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass
class _FolderScan:
    """What is met on the way through folders."""

    hidden: list[Path] = field(default_factory=list)
    loose: list[Path] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    nowhere: list[Path] = field(default_factory=list)
    suffixes: Counter[str] = field(default_factory=Counter)
    nested: int = 0


def survey(root: Path) -> Survey:
    """Looks through a directory; an image belongs to the class of the uppermost folder, however deep it lies.

    Hidden folders and files, other kinds of files and empty classes are left. `val/` takes the place of a missing
    `test/`. Links are followed.

    Raises:
        DataUnavailable: No directory of classes, a class in test that train has not, a folder that can't be read, or
            links that lead nowhere: images that were meant to be there.
    """
    if not root.is_dir():
        raise DataUnavailable(f"data.image_folder.path={root} is no folder; {LAYOUT}.")
    seen = _FolderScan()
    roots, said = _roots(root)
    parts = tuple(tuple(sorted(_images(part, seen), key=lambda image: image[1])) for part in roots)
    if seen.nowhere:
        raise DataUnavailable(
            f"{_names_text(root, seen.nowhere, 'link leads nowhere', 'links lead nowhere')}; mend or remove them."
        )
    classes = tuple(sorted({name for name, _ in parts[0]}))
    if len(classes) < 2 or not all(parts):
        raise DataUnavailable(f"data.image_folder.path={root} holds images of {len(classes)} classes; {LAYOUT}.")
    if strange := sorted({name for part in parts for name, _ in part} - set(classes)):
        raise DataUnavailable(f"{root}: test has classes that train has not: {', '.join(strange)}.")
    untested = [name for name in classes if len(parts) > 1 and name not in {other for other, _ in parts[1]}]
    if untested:
        said.append(f"there are no test images of {_first_names(untested)}")
    return Survey(parts, classes, (*said, *_what_is_left_out(root, seen)))


def _roots(root: Path) -> tuple[list[Path], list[str]]:
    """[root] or [train, test], and what is to be said of the choice."""
    there = {part.name: part for part in _folders(root) if part.name in _PARTS and _folders(part)}
    validation = [name for name in _VALIDATION if name in there]
    if "train" in there and "test" in there:
        said = [f"{name}/ is left, validation examples are drawn from train/ (data.split)" for name in validation]
        return [there["train"], there["test"]], said
    if "train" in there and len(validation) == 1:
        return [there["train"], there[validation[0]]], [f"{validation[0]}/ takes the place of test/"]
    if there:
        raise DataUnavailable(
            f"data.image_folder.path={root} holds {' and '.join(f'{name}/' for name in there)} but not both train/ and "
            f"test/; name one of them as the path, or add the other; {LAYOUT}."
        )
    return [root], []


def _folders(root: Path) -> list[Path]:
    """Visible folders in it."""
    return [Path(entry.path) for entry in _entries(root) if entry.is_dir() and not _is_hidden(entry.name)]


def _images(part: Path, seen: _FolderScan) -> Iterator[tuple[str, Path]]:
    for entry in _entries(part):
        if _is_hidden(entry.name):
            seen.hidden.append(Path(entry.path))
        elif entry.is_dir():
            images = list(_images_below(Path(entry.path), seen, {os.path.realpath(entry.path)}))
            seen.nested += sum(file.parent != Path(entry.path) for file in images)
            if not images:
                seen.empty.append(entry.name)
            yield from ((entry.name, file) for file in images)
        else:
            seen.loose.append(Path(entry.path))


def _images_below(folder: Path, seen: _FolderScan, above: set[str]) -> Iterator[Path]:
    """Images in a class folder.

    Args:
        above: Real paths of the folders on the way here: a link back to one of them is not followed.
    """
    for entry in _entries(folder):
        path = Path(entry.path)
        if _is_hidden(entry.name):
            seen.hidden.append(path)
        elif entry.is_dir():
            if (real := os.path.realpath(path)) not in above:
                yield from _images_below(path, seen, above | {real})
        elif path.suffix.lower() not in SUFFIXES:
            seen.suffixes[path.suffix.lower() or "no suffix"] += 1
        elif entry.is_file():
            yield path
        elif entry.is_symlink() and not path.exists():
            seen.nowhere.append(path)
        else:
            seen.suffixes["no regular file"] += 1


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise DataUnavailable(f"{folder} can't be read: {error.strerror or error}.") from error


def _is_hidden(name: str) -> bool:
    """As file managers have it, or put in by one when it packed an archive."""
    return name.startswith(".") or name == "__MACOSX"


def _what_is_left_out(root: Path, seen: _FolderScan) -> list[str]:
    said = []
    if seen.nested:
        said.append(f"{seen.nested:,} images lie deeper than their class folder and count to it")
    if seen.hidden:
        said.append(f"{_names_text(root, seen.hidden, 'hidden thing is left', 'hidden things are left')}")
    if seen.loose:
        said.append(
            f"{_names_text(root, seen.loose, 'file beside the class folders is left', 'files beside them are left')}"
        )
    if seen.empty:
        said.append(f"no image is in {_first_names(seen.empty)}, no class then")
    if seen.suffixes:
        kinds = ", ".join(f"{count:,} × {suffix}" for suffix, count in seen.suffixes.most_common(_SHOWN))
        said.append(f"other files in class folders are left ({kinds})")
    return said


def _names_text(root: Path, paths: list[Path], one: str, many: str) -> str:
    names = _first_names([str(path.relative_to(root)) for path in paths])
    return f"{len(paths):,} {one if len(paths) == 1 else many}: {names}"


def _first_names(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")
