"""Whether SQLite's write-ahead log has lost commits, which SQLite itself never says.

It takes a log up to the first frame whose checksum is wrong for all there is: with a flipped bit or a cut end, trials
that had ended would be unknown and silently run again. What gives such a log away: frames behind the wrong one that
belong to it, or the index beside the log (`-shm`), which counts what was committed. Formats: sqlite.org/walformat.html.
"""

import sqlite3
import struct
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

_HEADER, _FRAME = 32, 24
_INDEX = 48  # bytes of the index's header, which is there twice; then comes how much is in the database already
_SETTLES_S = 1.0  # a writer has appended what it has not counted yet


class Log(NamedTuple):
    """What a log's file says of itself.

    Attributes:
        salts: Of its present generation; frames with others are left from an earlier one.
        frames: Whole frames that fit into the file.
        committed: The last frame of the present generation that ends a transaction, whatever its checksum; 0: none.
        sound: Whether the log's own header is what was written.
    """

    salts: bytes
    frames: int
    committed: int
    sound: bool


class Index(NamedTuple):
    """What the index beside a log counts: frames committed, of which generation, and how many need no log any more."""

    salts: bytes
    committed: int
    copied: int


def damage(database: Path) -> str:
    """What is wrong with the log of a database that this process has not opened yet; "" if nothing is.

    Looking changes nothing: a connection that may only read leaves a log as it is when it closes.
    """
    path, index = _log_of(database), _index(database)
    log = _log(path)
    if log is None:
        if index is not None and index.committed > index.copied:
            return f"{path.name} is gone, and with it the last results"
        return ""
    if not log.sound:
        return f"{path.name} is damaged, and with it the last results"
    if index is not None and index.salts == log.salts and index.committed > max(log.frames, index.copied):
        return f"{path.name} has been cut off, and with it the last results"
    return f"{path.name} is damaged, and with it the last results" if log.committed and _lost(database, log) else ""


def _lost(database: Path, log: Log) -> bool:
    """Whether SQLite does not take all of a log that are whole transactions."""
    deadline = time.monotonic() + _SETTLES_S
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=30.0)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # makes SQLite read the log
        while True:
            index = _index(database)
            if index is None or index.salts != log.salts or index.committed >= log.committed:
                return False
            if time.monotonic() > deadline:
                return True
            time.sleep(0.02)


def _log(path: Path) -> Log | None:
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
            size = path.stat().st_size
            if len(header) < _HEADER or size <= _HEADER:
                return None
            (page,) = struct.unpack(">I", header[8:12])
            salts = header[16:24]
            if not _sound(header) or page < 512:
                return Log(salts, 0, 0, sound=False)
            frames, committed = (size - _HEADER) // (_FRAME + page), 0
            for number in range(1, frames + 1):
                file.seek(_HEADER + (number - 1) * (_FRAME + page))
                frame = file.read(_FRAME)
                if frame[8:16] == salts and frame[4:8] != bytes(4):
                    committed = number
            return Log(salts, frames, committed, sound=True)
    except FileNotFoundError:
        return None


def _sound(header: bytes) -> bool:
    """Whether a log's header has its own checksum."""
    (magic,) = struct.unpack(">I", header[:4])
    if magic not in (0x377F0682, 0x377F0683):
        return False
    words = struct.unpack(f"{'>' if magic & 1 else '<'}6I", header[:24])
    first = second = 0
    for one, two in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return header[24:32] == struct.pack(">2I", first, second)


def _index(database: Path) -> Index | None:
    """None where there is none, or none that can be relied on."""
    try:
        data = database.with_name(f"{database.name}-shm").read_bytes()[: 2 * _INDEX + 4]
    except OSError:
        return None
    if len(data) < 2 * _INDEX + 4 or data[:_INDEX] != data[_INDEX : 2 * _INDEX] or data[12] != 1:
        return None
    (committed,), (copied,) = struct.unpack("=I", data[16:20]), struct.unpack("=I", data[2 * _INDEX :])
    return Index(data[32:40], committed, copied)


def _log_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")
