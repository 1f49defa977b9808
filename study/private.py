"""Files of a home are its user's alone."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path


@contextmanager
def private_files(home: Path) -> Iterator[None]:
    """Whatever this process and its children make inside the block, nobody else can read: folders 0700, files 0600.

    In a home that somebody made for a group (group may write, others nothing: `mkdir -m 2770`) the group can as well.
    """
    before = os.umask(0o007 if _is_the_groups(home) else 0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def private_below(home: Path, path: Path) -> Iterator[None]:
    """`private_files` for what is written below `path`, if that lies in the home; elsewhere files are as usual."""
    inside = path.resolve().is_relative_to(home.resolve())
    with private_files(home) if inside else nullcontext():
        yield


def open_to_others(home: Path) -> str | None:
    """What other users of the machine may do with a home that was made before homes were private; None: nothing."""
    try:
        mode = home.stat().st_mode
    except OSError:
        return None
    if not mode & (stat.S_IROTH | stat.S_IXOTH | stat.S_IWOTH):
        return None
    return "write into" if mode & stat.S_IWOTH else "read"


def _is_the_groups(home: Path) -> bool:
    try:
        mode = home.stat().st_mode
    except OSError:
        return False
    return mode & stat.S_IRWXG == stat.S_IRWXG and not mode & stat.S_IRWXO
