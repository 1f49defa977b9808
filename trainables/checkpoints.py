"""Checkpoints of one trial: written whole or not at all, checked when read, fenced by attempt."""

import hashlib
import io
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

_NAME = re.compile(r"^attempt-(\d+)-(\d+)\.pt$")
_MAGIC = b"ockham checkpoint 1 sha256 "
_HEADER = len(_MAGIC) + 64 + 1
# Saving takes at most one part in so many of a trial's time, however slow the disk is.
_MOST_PARTS = 20


class CheckpointStore:
    """The checkpoints of one attempt, in a directory shared by all attempts of the trial.

    A file is a line with the SHA-256 of what follows, then a `torch.save` archive of tensors, containers, numbers and
    text. It gets its name only when it is on the disk. Files of a lower attempt are never read once a higher one has
    written, so that a zombie cannot pull its successor back.

    Args:
        directory: Created at the first save.
        attempt: Of this store's writes, ≥ 1.
        interval_s: `due` says True this long after the last save (or after the start), later where saving is slow;
            0: always.
        keep: How many of the attempt's files stay.
        reached: Is told of the two moments of a save at which dying would matter most; for tests of crashes.
    """

    def __init__(
        self,
        directory: Path,
        attempt: int,
        *,
        interval_s: float = 5.0,
        keep: int = 2,
        reached: Callable[[str], None] | None = None,
    ) -> None:
        self.directory, self.attempt, self.interval_s, self.keep = Path(directory), attempt, interval_s, keep
        self._reached = reached or _nothing
        self._last_save = time.monotonic()
        self._took_s = 0.0

    def due(self) -> bool:
        """Whether it is time to save again."""
        wait_s = max(self.interval_s, _MOST_PARTS * self._took_s) if self.interval_s else 0.0
        return time.monotonic() - self._last_save >= wait_s

    def save(self, state: dict[str, Any]) -> Path:
        """Writes `state` (tensors, dicts, lists, numbers, text, None) and drops what it makes superfluous."""
        started = time.monotonic()
        self.directory.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getbuffer()
        mine = [sequence for attempt, sequence, _ in self._files() if attempt == self.attempt]
        path = self.directory / f"attempt-{self.attempt:03d}-{max(mine, default=0) + 1:06d}.pt"
        temporary = path.with_suffix(f".tmp-{os.getpid()}")
        try:
            with temporary.open("wb") as file:
                file.write(_MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n")
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            self._reached("checkpoint written")
            temporary.replace(path)
            self._reached("checkpoint renamed")
        finally:
            temporary.unlink(missing_ok=True)
        _sync_directory(self.directory)
        self._drop_superfluous()
        self._last_save = time.monotonic()
        self._took_s = self._last_save - started
        return path

    def latest(self) -> dict[str, Any] | None:
        """The newest state of the highest attempt that has written; the one before it where that is damaged."""
        files = self._files()
        highest = max((attempt for attempt, _, _ in files), default=0)
        for attempt, _, path in reversed(files):
            if attempt == highest and (state := _read(path)) is not None:
                return state
        return None

    def _files(self) -> list[tuple[int, int, Path]]:
        """(attempt, sequence, path), oldest first."""
        if not self.directory.is_dir():
            return []
        found = [(match, path) for path in self.directory.iterdir() if (match := _NAME.match(path.name))]
        return sorted((int(match[1]), int(match[2]), path) for match, path in found)

    def _drop_superfluous(self) -> None:
        files = self._files()
        mine = [path for attempt, _, path in files if attempt == self.attempt]
        lower = [path for attempt, _, path in files if attempt < self.attempt]
        # What earlier attempts left half written when they were killed.
        lower += [p for p in self.directory.glob("attempt-*.tmp-*") if int(p.name.split("-")[1]) < self.attempt]
        for path in lower + mine[: -self.keep]:
            path.unlink(missing_ok=True)


def _nothing(_moment: str) -> None:
    """What most stores tell."""


def _read(path: Path) -> dict[str, Any] | None:
    """The state in a file; None if it is gone or its content is not what was written."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    header, content = data[:_HEADER], memoryview(data)[_HEADER:]
    if header != _MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n":
        return None
    state: dict[str, Any] = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    return state


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
