"""Checkpoints of one trial: written whole or not at all, checked when read, fenced by attempt."""

import io
import logging
import mmap
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch

from trainables.storage import Chunk, Folder, folder_at, seal, unseal

_NAME = re.compile(r"attempt-(\d+)\.(\d+)-(\d+)\.pt")
_UNFINISHED = re.compile(r"^attempt-(\d+)\.(\d+)-(\d+)\.tmp-")
_KIND = b"ockham checkpoint 1"
# Saving takes at most one part in so many of a trial's time, however slow the disk is.
_MOST_PARTS = 20


class _File(NamedTuple):
    """Sorts from the oldest to the newest."""

    fence: int
    attempt: int
    sequence: int
    name: str


class CheckpointStore:
    """The checkpoints of one attempt, in a folder shared by all attempts of the trial.

    A file is a line with the SHA-256 of what follows, then a `torch.save` archive of tensors, containers, numbers and
    text. It gets its name only when it is whole. Files of a lower attempt are never read once a higher one has
    written, so that a zombie cannot pull its successor back.

    Args:
        folder: A directory, made at the first save, or a folder of a storage that all machines see. A storage that
            does not answer and a disk that is full cost checkpoints, never the trial.
        attempt: Of this store's writes, ≥ 1.
        fence: Of the lease under which the attempt was begun; counts before the attempt, whose number a ledger that
            was restored from a snapshot may give a second time.
        interval_s: `due` says True this long after the last save (or after the start), later where saving is slow;
            0: always.
        keep: How many of the attempt's files stay.
        on_moment: Is told of the two moments of a save at which dying would matter most; for tests of crashes.
    """

    def __init__(
        self,
        folder: Folder | Path,
        attempt: int,
        *,
        fence: int = 0,
        interval_s: float = 5.0,
        keep: int = 2,
        on_moment: Callable[[str], None] | None = None,
    ) -> None:
        self.folder = folder_at(folder) if isinstance(folder, Path) else folder
        self.fence, self.attempt, self.interval_s, self.keep = fence, attempt, interval_s, keep
        self._on_moment = on_moment or _ignore
        self._last_save = time.monotonic()
        self._took_s = 0.0

    def due(self) -> bool:
        """Whether it is time to save again."""
        wait_s = max(self.interval_s, _MOST_PARTS * self._took_s) if self.interval_s else 0.0
        return time.monotonic() - self._last_save >= wait_s

    def save(self, state: dict[str, Any]) -> str | None:
        """Writes `state` (tensors, dicts, lists, numbers, text, None) and drops what it makes superfluous.

        Returns:
            The file's name; None if it could not be written.
        """
        started = time.monotonic()
        try:
            with pack_state(state) as content:
                return self._write(content)
        except OSError as error:
            logging.getLogger(__name__).warning("no checkpoint now, %s: %s", self.folder, error)
            return None
        finally:
            self._last_save = time.monotonic()
            self._took_s = self._last_save - started

    def latest(self) -> dict[str, Any] | None:
        """The newest state of the highest attempt that has written; the one before it where that is damaged."""
        files = _checkpoints(self.folder.names())
        for file in reversed(files):
            if file[:2] == files[-1][:2] and (state := self._read(file.name)) is not None:
                return state
        return None

    def _write(self, content: memoryview) -> str:
        names = self.folder.names()
        files, own = _checkpoints(names), (self.fence, self.attempt)
        mine = [file for file in files if file[:2] == own]
        name = f"attempt-{self.fence:03d}.{self.attempt:03d}-{mine[-1].sequence + 1 if mine else 1:06d}.pt"
        parts: list[Chunk] = [seal(_KIND, content), content]
        self.folder.write(name, parts, written=lambda: self._on_moment("checkpoint written"))
        self._on_moment("checkpoint renamed")
        superfluous = [file.name for file in files if file[:2] < own]
        superfluous += [file.name for file in mine[: max(0, len(mine) + 1 - self.keep)]]
        # What earlier attempts left half written when they were killed.
        left = ((match, name) for name in names if (match := _UNFINISHED.match(name)))
        superfluous += [name for match, name in left if (int(match[1]), int(match[2])) < own]
        for old in superfluous:
            self.folder.remove(old)
        return name

    def _read(self, name: str) -> dict[str, Any] | None:
        """The state in a file; None if it is gone or its content is not what was written."""
        return unpack_state(_KIND, self.folder.read(name))


@contextmanager
def pack_state(state: dict[str, Any]) -> Iterator[memoryview]:
    """`state` (tensors, dicts, lists, numbers, text, None) as bytes, while the context lasts."""
    # In a file, since a trial has not much more memory than its state takes.
    with tempfile.TemporaryFile() as file:
        torch.save(state, file)
        file.flush()
        yield memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def unpack_state(kind: bytes, data: bytes | None) -> dict[str, Any] | None:
    """What was packed and then sealed as `kind`; None if there are no data, or they are not what was written."""
    content = unseal(kind, data)
    if data is None or content is None:
        return None
    # Bytes whole, which it takes as they are; a part would be copied.
    stream = io.BytesIO(data)
    stream.seek(len(data) - len(content))
    state: dict[str, Any] = torch.load(stream, weights_only=True, map_location="cpu")
    return state


def _checkpoints(names: list[str]) -> list[_File]:
    """The files among `names` that are checkpoints, oldest first."""
    found = ((match, name) for name in names if (match := _NAME.fullmatch(name)))
    return sorted(_File(int(match[1]), int(match[2]), int(match[3]), name) for match, name in found)


def _ignore(_moment: str) -> None:
    """What most stores tell."""
