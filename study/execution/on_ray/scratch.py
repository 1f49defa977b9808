"""A folder for the files of one run's Ray, which nobody but this user can enter.

Ray makes its own folders writable for everyone on the machine, whatever the umask. Beneath a folder of mode 0700 that
Ray never touches, nobody reaches them.
"""

import contextlib
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from pathlib import Path

from filelock import FileLock, Timeout

_RAYS = "r"  # short: its sockets have long paths
_LOCK = "ockham-driver.lock"  # held while the driver lives, which may be on another machine or in another container
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
# An AF_UNIX path holds 107 bytes; Ray appends session_<date>_<microseconds>_<pid>/sockets/plasma_store.
_LONGEST = 107 - len("/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store.1")

_locks: dict[Path, FileLock] = {}


def make_scratch(home: Path) -> Path:
    """A new folder for Ray: inside the home where the path suits it, else in the system's /tmp.

    A path has to be short enough for sockets, and plain: Ray passes paths on in URIs, command lines and ASCII fields.
    """
    inside, prefix = home / ".ray", ""
    if _is_mine(inside) and _is_short(inside, prefix) and _PLAIN.fullmatch(str(inside)):
        inside.mkdir(mode=0o700, parents=True, exist_ok=True)
        inside.chmod(0o700)  # it may be older
    else:
        inside, prefix = Path(tempfile.gettempdir()), "ockham-"
        if not _is_short(inside, prefix) and sys.platform != "win32":
            inside = Path("/tmp")  # noqa: S108 - a private directory is made in it
    sweep(inside, prefix)
    own = Path(tempfile.mkdtemp(prefix=prefix, dir=inside))
    _locks[own] = FileLock(own / _LOCK, thread_local=False)
    _locks[own].acquire()
    scratch = own / _RAYS
    scratch.mkdir()
    return scratch


def remove_scratch(scratch: Path) -> None:
    """Removes it, and the folder of all of them, unless another study of the home has its Ray there."""
    own = scratch.parent
    shutil.rmtree(own, ignore_errors=True)
    if own in _locks:
        _locks.pop(own).release()
    if own.parent.name == ".ray":
        with contextlib.suppress(OSError):
            own.parent.rmdir()


def sweep(inside: Path, prefix: str) -> None:
    """Removes what drivers left there that were killed a while ago, and nothing that anybody else put there."""
    for left in inside.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # another study sweeps as well
            if _is_mine(left) and _is_left(left):
                shutil.rmtree(left, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """Whether a driver made it that is dead. A process's number tells not: it may live in another container."""
    lock = folder / _LOCK
    if not stat.S_ISREG(lock.lstat().st_mode) or time.time() - lock.lstat().st_mtime < 60:
        return False
    try:
        with FileLock(lock, timeout=0):
            return True
    except Timeout:
        return False


def _is_short(inside: Path, prefix: str) -> bool:
    return len(os.fsencode(inside / f"{prefix}12345678" / _RAYS)) <= _LONGEST


def _is_mine(inside: Path) -> bool:
    """Whether it is this user's own folder, or nothing yet: in a group's home it may be another's, or a link of his."""
    try:
        found = inside.lstat()
    except OSError:
        return True
    return stat.S_ISDIR(found.st_mode) and (not hasattr(os, "geteuid") or found.st_uid == os.geteuid())
