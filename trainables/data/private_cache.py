"""Folders for what can be computed again, that nobody else can write to: beside the data, or this user's own.

The user's own is `$OCKHAM_CACHE`, or else `$XDG_CACHE_HOME/ockham`, or else `~/.cache/ockham`. Nothing is lost with it.
"""

import os
import re
import shutil
import stat
from pathlib import Path

_ENTRY = re.compile(r"[0-9a-f]{32}")  # of whatever tells one entry from another


def private_cache(name: str) -> Path | None:
    """The folder `name` in it, made if need be; None where there can be none (no home, nothing can be written).

    It is refused as a cache where somebody else owns it or may write to it: what lies there is believed.
    """
    try:
        base = Path(os.environ.get("OCKHAM_CACHE") or _usual())
        if not base.is_absolute():
            return None
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = base / name
        folder.mkdir(mode=0o700, exist_ok=True)
        alone = all(only_ours(path) for path in (base, folder))
        return folder if alone and os.access(folder, os.W_OK | os.X_OK) else None
    except (OSError, RuntimeError):  # the latter: no home directory is known
        return None


def _usual() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ockham"


def cache_beside(data_dir: Path, name: str) -> Path | None:
    """The folder `name` in `data_dir` where it is this user's or can be made, else that of the private cache.

    So a data folder that can only be read, or whose cache belongs to somebody else, costs no second copy a process.
    None where there is no data folder, or no place at all.
    """
    if not data_dir.is_dir():
        return None
    folder = data_dir / name
    try:
        if folder.is_dir():
            beside = only_ours(folder) and os.access(folder, os.W_OK | os.X_OK)
        else:  # tried, not asked: permissions say nothing about read-only file systems
            folder.mkdir()
            folder.rmdir()
            beside = True
    except OSError:
        beside = False
    return folder if beside else private_cache(name)


def forget_old(folder: Path, keep: int) -> None:
    """Leaves the folders in it that were used last. What processes have mapped stays theirs when its files go.

    Only folders whose names are digests, as those of a cache are, ever go.
    """
    there = [path for path in folder.iterdir() if _ENTRY.fullmatch(path.name)]
    for old in sorted(there, key=lambda path: path.stat().st_mtime_ns)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)


def only_ours(folder: Path) -> bool:
    """Whether this user owns the folder and nobody else may write to it, nor laid a link to it there.

    Somebody else's link leads to a folder that is this user's, and no cache.
    """
    status, own = folder.stat(), os.geteuid()
    return folder.lstat().st_uid == own == status.st_uid and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
