"""Dense networks that were trained once, kept by content: whoever needs the same ones again takes them from here.

A file's name is a digest of everything that its networks depend on, so that what has the name is what is needed; it
gets the name when it is whole, and its content is checked when it is read. Nothing breaks where a file is missing: the
networks are trained again.
"""

import contextlib
import logging
import os
import time
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from trainables.checkpoints import pack_state, unpack_state
from trainables.storage import Folder, LocalFolder, seal

DENSE = ".dense"  # in the home or storage: no study has such a name
_KIND = b"ockham dense networks 1"
_SUFFIX = ".pt"
_SIGN_S = 1.0
_PATIENCE_S = 30.0
_ABANDONED_S = 86400.0


class DenseStore:
    """A folder of dense networks that all workers and studies of a home share.

    Args:
        folder: A directory, or a folder of a storage that all machines see.
        limit: Bytes that it may hold; what was used least recently goes first.
        patience_s: How long to wait for somebody who trains the same networks and shows no sign of life.
    """

    def __init__(self, folder: Folder | Path, limit: int, *, patience_s: float = _PATIENCE_S) -> None:
        self.folder = LocalFolder(folder) if isinstance(folder, Path) else folder
        self.limit, self.patience_s = limit, patience_s

    def shelf(self, name: str) -> "Shelf":
        """Where the networks called `name` are, or would be."""
        return Shelf(self, name)

    def make_room(self) -> None:
        """Drops the files used least recently until the rest is within the limit, and what killed processes left."""
        files = sorted(self.folder.contents(), key=lambda file: file.modified_s)
        kept = [file for file in files if file.name.endswith(_SUFFIX)]
        held = sum(file.bytes for file in kept)
        for file in kept:
            if held <= self.limit:
                break
            self.folder.remove(file.name)
            held -= file.bytes
            _log().info("dense networks %s dropped: more than %s of them were kept", file.name, _size(self.limit))
        for file in files:
            if not file.name.endswith(_SUFFIX) and time.time() - file.modified_s > _ABANDONED_S:
                self.folder.remove(file.name)


class Shelf:
    """The place of one stack of dense networks; who trains them holds it, so that others of this machine may wait.

    Across machines nobody waits: two may train the same networks, and both write the same file.
    """

    def __init__(self, store: DenseStore, name: str) -> None:
        self._store, self._file = store, name + _SUFFIX
        self._lock: FileLock | None = None
        self._holds = False
        self._signed = self._seen_at = time.monotonic()
        self._seen = 0
        if isinstance(store.folder, LocalFolder):
            self._lock = FileLock(store.folder.path / f"{name}.lock", timeout=0)

    def read(self) -> dict[str, Any] | None:
        """What is there; None if nothing is, or it is damaged."""
        try:
            data = self._store.folder.without_patience().read(self._file)
            state = unpack_state(_KIND, data)
        except (OSError, RuntimeError, EOFError) as error:
            _log().warning("dense networks can't be read, so they are trained: %s", error)
            return None
        if state is not None and isinstance(self._store.folder, LocalFolder):
            with contextlib.suppress(OSError):
                os.utime(self._store.folder.path / self._file)
        return state

    def write(self, state: dict[str, Any]) -> None:
        """Puts networks there; one that is too large, or a full disk, costs whoever comes next their training."""
        try:
            with pack_state(state) as content:
                if len(content) > self._store.limit:
                    size, limit = _size(len(content)), _size(self._store.limit)
                    _log().info("dense networks not kept: they take %s, and %s may be kept", size, limit)
                    return
                self._store.folder.write(self._file, [seal(_KIND, content), content])
            self._store.make_room()
        except OSError as error:
            _log().warning("dense networks not kept: %s", error)

    def is_mine_to_train(self) -> bool:
        """Whether to train: nobody else does, or whoever does shows no sign of life."""
        if self._lock is None or self._holds:
            return True
        try:
            Path(self._lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            self._holds = True
        except Timeout:
            return self._is_silent()
        except (OSError, NotImplementedError):  # a file system without locks
            self._lock = None
        return True

    def sign(self) -> None:
        """Shows those who wait that their networks are being trained."""
        if self._holds and self._lock is not None and time.monotonic() - self._signed >= _SIGN_S:
            self._signed = time.monotonic()
            with contextlib.suppress(OSError):
                os.utime(self._lock.lock_file)

    def close(self) -> None:
        """Lets others train them."""
        if self._holds and self._lock is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._lock.lock_file)
            self._lock.release()
            self._holds = False

    def _is_silent(self) -> bool:
        """By this process's own clock."""
        try:
            signed = os.stat(self._lock.lock_file).st_mtime_ns if self._lock else 0
        except OSError:
            signed = 0
        if signed != self._seen:
            self._seen, self._seen_at = signed, time.monotonic()
        return time.monotonic() - self._seen_at > self._store.patience_s


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"


def _log() -> logging.Logger:
    return logging.getLogger(__name__)
