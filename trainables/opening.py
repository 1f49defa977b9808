"""Files that a user names, opened with care: regular ones only, and no more of them than is sensible.

A pipe or a terminal would be waited for, /dev/zero never ends, and what a decoder makes of a small file may be large.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

LARGEST = 1 << 30


class NotReadable(ValueError):
    """A file that a user named is not there, is no regular file, or is too large; the message names it."""


def open_file(path: Path) -> BinaryIO:
    """A regular file, to be read; links are followed.

    Raises:
        OSError: As `open`; also for what is no regular file, instead of waiting for somebody to write into a pipe.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise OSError(errno.EINVAL, f"it is {_kind(mode)}, give an ordinary file", str(path))
    return open(handle, "rb")


def what_else(path: Path) -> str:
    """What a path leads to that is no regular file, e.g. `a pipe`; "" for a file, and for nothing at all."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""
    return "" if stat.S_ISREG(mode) else _kind(mode)


def read_file(path: Path, *, largest: int = LARGEST) -> bytes:
    """What a file holds.

    Args:
        largest: Bytes; a file of more is refused before it is read.
    Raises:
        NotReadable: See there.
    """
    try:
        file = open_file(path)
    except (OSError, ValueError) as error:  # a name with a zero byte in it
        raise NotReadable(f"{path} can't be read: {_reason(error)}") from None
    with file:
        size = os.fstat(file.fileno()).st_size
        if size > largest:
            raise NotReadable(f"{path} has {size:,} bytes; at most {largest:,} are read")
        try:
            content = file.read(largest + 1)  # it may grow meanwhile, and some file systems call all files empty
        except OSError as error:
            raise NotReadable(f"{path} can't be read: {_reason(error)}") from None
        if len(content) > largest:
            raise NotReadable(f"{path} has more than {largest:,} bytes; no more are read")
        return content


def require_file_target(path: Path) -> None:
    """Refuses to write to what is no ordinary file: a pipe that nobody reads would be waited for.

    Raises:
        OSError: It is something else; says what.
    """
    if other := what_else(path):  # that it can't be made will be seen
        raise OSError(errno.EINVAL, f"it is {other}; give the name of an ordinary file", str(path))


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")
