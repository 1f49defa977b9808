"""A SQLite ledger in a folder that this user may only read: of a colleague, or on a disk that is mounted so."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def writable(folder: Path) -> bool:
    """Whether this user may make files there."""
    return os.access(folder, os.W_OK | os.X_OK)


def readable(path: Path) -> Path:
    """`path`, or a copy of it where its folder can't be written: SQLite writes beside a database even to read it.

    The copy has what was committed when it was made, and goes with the process.
    """
    if writable(path.parent):
        return path
    folder = Path(tempfile.mkdtemp(prefix="ockham-reading-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for tail in ("-wal", ""):  # a checkpoint between the two puts nothing into the database that the log has not
        there = path.with_name(path.name + tail)
        if tail == "" or there.exists():
            shutil.copyfile(there, folder / there.name)
    return folder / path.name
