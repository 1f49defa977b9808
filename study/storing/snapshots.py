"""Consistent copies of a SQLite ledger on a storage, and the ledger of a new machine from the newest good one."""

import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from trainables.storage import Folder, seal, unseal

_NAME = re.compile(r"fence-(\d+)-(\d+)\.db")
_KIND = b"ockham ledger 1"
_SCRATCH = ".snapshot-"
KEEP = 3


def copy_ledger(url: str, study: str, *, scratch: str = _SCRATCH) -> tuple[bytes, set[int]]:
    """The ledger at `url` as it is at one moment, a database file, and the trials of a study that have ended in it.

    Args:
        scratch: What folders of this caller are called while it works; those of others are left alone.
    """
    source = Path(make_url(url).database or "")
    for left in source.parent.glob(f"{scratch}*"):  # of drivers that died; this one has the lease
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=scratch, dir=source.parent) as folder:
        copy = Path(folder) / "copy.db"
        with closing(sqlite3.connect(source, timeout=30.0)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        with closing(sqlite3.connect(copy)) as connection:
            query = "SELECT number FROM ockham_trials WHERE study = ? AND ended_ms IS NOT NULL"
            ended = {int(number) for (number,) in connection.execute(query, (study,))}
        return copy.read_bytes(), ended


def put(content: bytes, folder: Folder, fence: int) -> str:
    """Stores a copy, and drops all but the newest; its name."""
    there = _list_snapshots(folder)
    sequence = max((number for of, number, _ in there if of == fence), default=0) + 1
    name = f"fence-{fence:06d}-{sequence:06d}.db"
    folder.write(name, [seal(_KIND, content), content])
    for of, _, old in there[: max(0, len(there) + 1 - KEEP)]:
        if of <= fence:
            folder.remove(old)
    return name


def newest(folder: Folder) -> Iterator[tuple[int, bytes]]:
    """(fence, database file) of the copies that are what was written, newest first."""
    for fence, _, name in reversed(_list_snapshots(folder)):
        content = unseal(_KIND, folder.read(name))
        if content is not None:
            yield fence, bytes(content)


def exist(folder: Folder) -> bool:
    """Whether any copy is there, good or not."""
    return bool(_list_snapshots(folder))


def restore(content: bytes, path: Path, study: str, fence: int) -> bool:
    """Makes `path` the ledger that `content` is, with a lease that nobody holds; False if it is no sound database.

    Args:
        fence: The highest known; the next driver gets a higher one, so that whoever writes late is known as late.
    Raises:
        FileExistsError: Someone else has made `path` meanwhile, and may be using it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=path.parent) as scratch:
        copy = Path(scratch) / path.name
        copy.write_bytes(content)
        try:
            with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
                if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                    return False
                connection.execute(
                    "UPDATE ockham_leases SET held = 0, fence = max(fence, ?) WHERE study = ?", (fence, study)
                )
        except sqlite3.DatabaseError:
            return False
        path.hardlink_to(copy)  # unlike renaming, never replaces
    return True


def _list_snapshots(folder: Folder) -> list[tuple[int, int, str]]:
    """(fence, sequence, name), oldest first."""
    found = ((match, name) for name in folder.names() if (match := _NAME.fullmatch(name)))
    return sorted((int(match[1]), int(match[2]), name) for match, name in found)
