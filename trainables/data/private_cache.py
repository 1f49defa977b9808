"""A folder of this user alone for what can be computed again.

`$OCKHAM_CACHE`, or else `$XDG_CACHE_HOME/ockham`, or else `~/.cache/ockham`. It can be removed at any time.
"""

import os
import stat
from pathlib import Path


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


def only_ours(folder: Path) -> bool:
    """Whether this user owns the folder and nobody else may write to it."""
    status = folder.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
