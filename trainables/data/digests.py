"""What files hold, in a few hex digits: read once, and again only where size, times or place changed.

Digests are kept in a folder of the user alone, so that nobody else can say what a file holds.
"""

import hashlib
import json
import os
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from trainables.data.private_cache import private_cache
from trainables.errors import DataUnavailable
from trainables.storage import whole_file

# A file written within the clock's step of being read may be written again without a visible change of its times.
_SETTLED_NS = 2_000_000_000
_MOST_KEPT = 2_000_000

# Size, time of the last change of content, of anything about the file, and its inode.
Stamp = list[int]


def content_digests(files: Mapping[str, Path]) -> dict[str, str]:
    """SHA-256 of each file's content, its first 32 hex digits, under the name given.

    Costs a look at each file's size and times; contents are read where those are new. A change that restores the time
    of a file (`cp -p`, `rsync`) is noticed too: the time of its last change of status can't be set.

    Raises:
        DataUnavailable: One of them can't be read or is no regular file; says which.
    """
    if not files:
        return {}
    index = _Index(Path(os.path.commonpath([path.absolute().parent for path in files.values()])))
    said = {name: index.digest(path.absolute()) for name, path in files.items()}
    index.keep()
    return said


def md5(file: Path) -> str:
    """For comparison with what was published; content that somebody forged may have any MD5."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


class _Index:
    """Digests known of files below a folder."""

    def __init__(self, root: Path) -> None:
        folder = private_cache("digests")
        self._file = folder and folder / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:16]}.json"
        self._known: dict[str, tuple[Stamp, str]] = {}
        self._changed = False
        if self._file is not None:
            with suppress(OSError, ValueError, TypeError):
                content = json.loads(self._file.read_text(encoding="utf-8"))
                self._known = {str(path): (stamp, str(digest)) for path, (stamp, digest) in content.items()}

    def digest(self, path: Path) -> str:
        """The digest of a file's content as it is now."""
        try:
            before = _stamp(path)
            key = str(path)
            if key in self._known and self._known[key][0] == before:
                return self._known[key][1]
            begun = time.time_ns()
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()[:32]
            if _stamp(path) != before:
                raise DataUnavailable(f"{path} is being written at this moment; try again when it is whole.")
        except OSError as error:
            raise DataUnavailable(f"{path} can't be read: {error.strerror or error}.") from error
        if max(before[1:3]) < begun - _SETTLED_NS:
            self._known[key] = (before, digest)
            self._changed = True
        return digest

    def keep(self) -> None:
        """Writes what is new; whoever writes last wins, and what is lost is only time."""
        if self._file is None or not self._changed or len(self._known) > _MOST_KEPT:
            return
        with suppress(OSError), whole_file(self._file, lasting=False) as unfinished:
            unfinished.write_text(json.dumps(self._known), encoding="utf-8")


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise DataUnavailable(f"{path} is no regular file; put a file there.")
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
