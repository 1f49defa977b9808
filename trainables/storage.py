"""Where files of a study lie: a directory, or a prefix of an object store, read and written alike.

A file gets its name only when it is whole: by renaming in a directory; an object store shows an object when all of it
has arrived. What must not be misread is sealed: a line with the SHA-256 of what follows.
"""

import contextlib
import hashlib
import os
import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

T = TypeVar("T")
Chunk = bytes | memoryview
SCHEMES = ("file", "s3", "gs")
PATIENCE_S = 60.0


class StoredFile(NamedTuple):
    """A file's path relative to its folder, its bytes, and when it was last changed in seconds since 1970."""

    name: str
    bytes: int
    modified_s: float


class Folder(ABC):
    """A flat set of named files, and folders below it."""

    def without_patience(self) -> "Folder":
        """The same for someone who comes back later: it is told soon that the store does not answer."""
        return self

    @abstractmethod
    def __truediv__(self, name: str) -> "Folder":
        """The folder called `name` in this one; nothing is created."""

    @abstractmethod
    def write(self, name: str, parts: Sequence[Chunk], *, written: Callable[[], None] = lambda: None) -> None:
        """Makes or replaces a file, whole or not at all.

        Args:
            written: Called when all is written and the file has no name yet.
        Raises:
            OSError: It can't be written.
        """

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """A file's content; None if there is no such file."""

    @abstractmethod
    def names(self) -> list[str]:
        """Paths of all files in it and below, relative to it, sorted; [] where there is no such folder."""

    @abstractmethod
    def contents(self) -> list[StoredFile]:
        """All files in it and below, in the order of their names; [] where there is no such folder."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""

    @abstractmethod
    def remove_all(self) -> None:
        """Removes the folder and everything below, if it is there."""

    def prune(self) -> None:
        """Removes empty folders: those below, and itself. An object store has none."""
        return


class LocalFolder(Folder):
    """A directory; made at the first write. Content and name are on the disk when `write` returns."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def __truediv__(self, name: str) -> "LocalFolder":
        return LocalFolder(self.path / name)

    def __str__(self) -> str:
        return str(self.path)

    def write(self, name: str, parts: Sequence[Chunk], *, written: Callable[[], None] = lambda: None) -> None:
        """See `Folder`."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as unfinished:
            with unfinished.open("wb") as file:
                for part in parts:
                    file.write(part)
            written()

    def read(self, name: str) -> bytes | None:
        """See `Folder`."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def names(self) -> list[str]:
        """See `Folder`."""
        return sorted(str(path.relative_to(self.path)) for path in self.path.rglob("*") if path.is_file())

    def contents(self) -> list[StoredFile]:
        """See `Folder`."""
        found = []
        for name in self.names():
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                status = (self.path / name).stat()
                found.append(StoredFile(name, status.st_size, status.st_mtime))
        return found

    def remove(self, name: str) -> None:
        """See `Folder`."""
        (self.path / name).unlink(missing_ok=True)

    def remove_all(self) -> None:
        """See `Folder`."""
        shutil.rmtree(self.path, ignore_errors=True)

    def prune(self) -> None:
        """See `Folder`."""
        below = [Path(folder) for folder, _, _ in os.walk(self.path, topdown=False)]
        for folder in (*below, self.path):
            with contextlib.suppress(OSError):  # not empty, a link, or gone
                folder.rmdir()


class ObjectFolder(Folder):
    """A prefix of an object store.

    Args:
        filesystem: A `pyarrow.fs.FileSystem`.
        path: Bucket and prefix.
        patience_s: How long reading is tried again while the store does not answer.
    """

    def __init__(self, filesystem: Any, path: str, *, patience_s: float = PATIENCE_S) -> None:
        self._filesystem, self._path, self._patience_s = filesystem, path.rstrip("/"), patience_s

    def without_patience(self) -> "ObjectFolder":
        """See `Folder`."""
        return ObjectFolder(self._filesystem, self._path, patience_s=0.0)

    def __truediv__(self, name: str) -> "ObjectFolder":
        return ObjectFolder(self._filesystem, f"{self._path}/{name}", patience_s=self._patience_s)

    def __str__(self) -> str:
        return f"{self._filesystem.type_name}://{self._path}"

    def write(self, name: str, parts: Sequence[Chunk], *, written: Callable[[], None] = lambda: None) -> None:
        """See `Folder`. The object appears when the stream is closed."""
        with self._filesystem.open_output_stream(f"{self._path}/{name}") as stream:
            for part in parts:
                stream.write(part)
            written()

    def read(self, name: str) -> bytes | None:
        """See `Folder`."""

        def content() -> bytes | None:
            try:
                with self._filesystem.open_input_stream(f"{self._path}/{name}") as stream:
                    found: bytes = stream.read()
                    return found
            except FileNotFoundError:
                return None

        return self._patiently(content)

    def names(self) -> list[str]:
        """See `Folder`."""
        return [file.name for file in self.contents()]

    def contents(self) -> list[StoredFile]:
        """See `Folder`."""
        from pyarrow import fs

        everything = fs.FileSelector(self._path, allow_not_found=True, recursive=True)
        found = self._patiently(lambda: self._filesystem.get_file_info(everything))
        files = [info for info in found if info.type == fs.FileType.File]
        return sorted(
            StoredFile(info.path[len(self._path) + 1 :], info.size, info.mtime_ns / 1e9 if info.mtime_ns else 0.0)
            for info in files
        )

    def remove(self, name: str) -> None:
        """See `Folder`."""
        try:
            self._filesystem.delete_file(f"{self._path}/{name}")
        except FileNotFoundError:
            return

    def remove_all(self) -> None:
        """See `Folder`."""
        try:
            self._filesystem.delete_dir(self._path)
        except FileNotFoundError:
            return

    def _patiently(self, call: Callable[[], T]) -> T:
        """A store that does not answer for a moment must not cost a trial."""
        deadline, pause_s = time.monotonic() + self._patience_s, 0.5
        while True:
            try:
                return call()
            except OSError:
                if time.monotonic() + pause_s > deadline:
                    raise
            time.sleep(pause_s)
            pause_s = min(8.0, 2 * pause_s)


def folder_at(place: str | Path) -> Folder:
    """The folder that a path or URI names: `/mnt/share`, `file:///mnt/share`, `s3://bucket/prefix`, `gs://bucket/prefix`.

    Credentials and region of a store are found as its own tools find them; a query adds to that
    (`s3://bucket/prefix?region=eu-west-1&endpoint_override=host:port&scheme=http`). Nothing is created; a bucket
    without a region is asked for it.

    Raises:
        ValueError: Another kind of URI, or a malformed one.
        OSError: The bucket does not say its region.
    """
    if isinstance(place, Path) or "://" not in place:
        return LocalFolder(Path(place).absolute())
    parts = urlsplit(place)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"{place}: use a path, or one of {', '.join(f'{name}://' for name in SCHEMES)}")
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise ValueError(f"{place}: a file URI has three slashes and an absolute path, e.g. file:///mnt/share")
        return LocalFolder(Path(unquote(parts.path)))
    if not parts.netloc:
        raise ValueError(f"{place}: name a bucket, e.g. {parts.scheme}://bucket/prefix")
    from pyarrow import fs

    filesystem, path = fs.FileSystem.from_uri(place)
    return ObjectFolder(filesystem, path)


def seal(kind: bytes, content: Chunk) -> bytes:
    """The line that goes before `content`."""
    return kind + b" sha256 " + hashlib.sha256(content).hexdigest().encode() + b"\n"


def unseal(kind: bytes, data: bytes | None) -> memoryview | None:
    """The content behind a seal; None if there are no data, of this kind, or they are not what was written."""
    if data is None:
        return None
    end = data.find(b"\n") + 1
    content = memoryview(data)[end:]
    return content if data[:end] == seal(kind, content) else None


@contextmanager
def whole_file(path: Path, *, lasting: bool = True) -> Iterator[Path]:
    """Yields a path to write a file to, which gets the name `path` when the block has ended well: whole or not at all.

    Args:
        lasting: Whether content and name are to be on the disk then, whatever the machine does.
    """
    unfinished = path.with_suffix(f".tmp-{os.getpid()}-{threading.get_ident()}")
    try:
        yield unfinished
        if lasting:
            _sync(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    if lasting:
        _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
