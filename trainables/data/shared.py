"""The split of a study as files, which all processes of a machine map: its memory is the system's page cache."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.data.download import one_process, writable_folder
from trainables.data.private_cache import cache_beside, forget_old
from trainables.data.splits import Split, Take

# Smaller splits are not worth files.
_SHARE_BYTES = 4 << 20
_KEEP_SPLITS = 16
_CHUNK_BYTES = 64 << 20
_FOLDER = "splits"


def shared_split(identity: str, data_dir: Path, make: Callable[[Take], Split]) -> Split:
    """The split, mapped from `<data_dir>/splits`; made and written there by the first process that asks.

    Where nothing can be written there, or somebody else's cache lies there, the user's own takes its place (see
    `cache_beside`). One process makes it, others wait for it. The 16 splits used last are kept. Where nothing can be
    written at all, and for splits below 4 MiB, every process has its own copy.

    Args:
        identity: Of the split; whatever changes an example changes it.
        make: Makes the split, with `take` for what picks examples out of a set.
    """
    folder = cache_beside(data_dir, _FOLDER)
    if folder is None:
        return make(_take)
    place = folder / hashlib.sha256(identity.encode()).hexdigest()[:32]
    if (found := _map_split(place)) is not None:
        return found
    sizes: list[int] = []

    def measure(array: npt.NDArray[Any], index: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        sizes.append(len(index) * array[:1].nbytes)
        return array[index[:0]]

    make(measure)
    if sum(sizes) < _SHARE_BYTES:
        return make(_take)
    try:
        with writable_folder(place.parent), one_process(place.parent / f".{place.name}.lock"):
            if (found := _map_split(place)) is None:
                _write(place, make)
                forget_old(place.parent, _KEEP_SPLITS)
    except OSError:
        return make(_take)
    return found or _map_split(place) or make(_take)


def _take(array: npt.NDArray[Any], index: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Into memory of this process."""
    return array[index]


def _write(place: Path, make: Callable[[Take], Split]) -> None:
    for left_by_a_killed_process in place.parent.glob(f".{place.name}-*"):
        shutil.rmtree(left_by_a_killed_process, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{place.name}-", dir=place.parent) as folder:
        written = iter(range(100))

        def take(array: npt.NDArray[Any], index: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
            """Copied in pieces, so that the set may be larger than memory."""
            shape = (len(index), *array.shape[1:])
            file = Path(folder) / f"part{next(written)}.npy"
            out = np.lib.format.open_memmap(file, mode="w+", dtype=array.dtype, shape=shape)
            step = max(1, _CHUNK_BYTES // max(1, array[:1].nbytes))
            for start in range(0, len(index), step):
                out[start : start + step] = array[index[start : start + step]]
            out.flush()
            return out

        made, done = make(take), Path(folder) / "done"
        done.mkdir()
        for field in fields(Split):
            value: Any = getattr(made, field.name)
            file = getattr(value, "filename", None)
            if file is not None:
                os.rename(file, done / f"{field.name}.npy")
            else:
                np.save(done / f"{field.name}.npy", np.asarray(value))
        if place.exists():
            shutil.rmtree(place)
        os.rename(done, place)


def _map_split(place: Path) -> Split | None:
    """None where there is no such split, or a damaged one."""
    try:
        # Copy on write: torch wants writable memory, and pages are still shared between processes.
        values: Any = {f.name: np.load(place / f"{f.name}.npy", mmap_mode="c") for f in fields(Split)}
        os.utime(place)
    except (OSError, ValueError):
        return None
    return replace(Split(**values), num_classes=int(values["num_classes"]))
