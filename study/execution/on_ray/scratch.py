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

import psutil

_RAYS = "r"  # short: its sockets have long paths
_IN_HOME = re.compile(r"(\d{1,7})")
_IN_TMP = re.compile(r"ockham-(\d{1,7})-[a-z0-9_]{8}")  # as `mkdtemp` ends names
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
# An AF_UNIX path holds 107 bytes; Ray appends session_<date>_<microseconds>_<pid>/sockets/plasma_store.
_LONGEST = 107 - len("/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store.1")


def make_scratch(home: Path) -> Path:
    """A new folder for Ray: inside the home where the path suits it, else in the system's /tmp.

    A path has to be short enough for sockets, and plain: Ray passes paths on in URIs, command lines and ASCII fields.
    """
    inside = home / ".ray"
    if _is_mine(inside):
        sweep(inside)
    own = inside / str(os.getpid())
    if len(os.fsencode(own / _RAYS)) <= _LONGEST and _PLAIN.fullmatch(str(own)) and _is_mine(inside):
        inside.mkdir(mode=0o700, parents=True, exist_ok=True)
        inside.chmod(0o700)  # it may be older
        shutil.rmtree(own, ignore_errors=True)  # of a process that had this number before
        own.mkdir(mode=0o700)
    else:
        system = Path(tempfile.gettempdir())
        if len(os.fsencode(system / "ockham-1234567-12345678" / _RAYS)) > _LONGEST and sys.platform != "win32":
            system = Path("/tmp")  # noqa: S108 - a private directory is made in it
        sweep(system, _IN_TMP)
        own = Path(tempfile.mkdtemp(prefix=f"ockham-{os.getpid()}-", dir=system))
    scratch = own / _RAYS
    scratch.mkdir()
    return scratch


def remove_scratch(scratch: Path) -> None:
    """Removes it, and the folder of all of them, unless another study of the home has its Ray there."""
    own = scratch.parent
    shutil.rmtree(own, ignore_errors=True)
    if own.parent.name == ".ray":
        with contextlib.suppress(OSError):
            own.parent.rmdir()


def sweep(inside: Path, names: re.Pattern[str] = _IN_HOME) -> None:
    """Removes what drivers of this machine left that were killed a while ago, and nothing that anybody else put there.

    Args:
        names: Of the folders that drivers make there; the first group is the driver's process.
    """
    for left in inside.glob("*"):
        by = names.fullmatch(left.name)
        if by is None or psutil.pid_exists(int(by[1])):
            continue
        with contextlib.suppress(FileNotFoundError):  # another study sweeps as well
            is_old = time.time() - left.lstat().st_mtime > 60
            if is_old and _is_mine(left) and {entry.name for entry in left.iterdir()} <= {_RAYS}:
                shutil.rmtree(left, ignore_errors=True)


def _is_mine(inside: Path) -> bool:
    """Whether it is this user's own folder, or nothing yet: in a group's home it may be another's, or a link of his."""
    try:
        found = inside.lstat()
    except OSError:
        return True
    return stat.S_ISDIR(found.st_mode) and (not hasattr(os, "geteuid") or found.st_uid == os.geteuid())
