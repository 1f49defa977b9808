"""Whether SQLite's write-ahead log has lost commits, which SQLite itself never says.

It takes a log up to the first frame whose checksum is wrong for all there is: with a flipped bit or a cut end, trials
that had ended would be unknown and silently run again. What gives such a log away is the index beside it (`-shm`),
which counts what was committed. It outlives its processes; the first to open the database afterwards makes it anew from
what it takes of the log. So this looks before anyone opens the database, and opens nothing itself.

Frames behind the counted ones prove nothing: a writer that was killed had appended them and not yet counted them, and
the next writer overwrote only some. Where there is no index they are all there is to go by. Formats:
sqlite.org/walformat.html.
"""

import struct
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

from trainables.opening import open_file

if TYPE_CHECKING:
    import numpy

_HEADER, _FRAME = 32, 24
_INDEX = 48  # bytes of the index's header, which is there twice; then comes how much is in the database already
_SETTLES_S = 1.0  # a writer may be in the middle of it
_MASK = 0xFFFFFFFF


class Log(NamedTuple):
    """What a log's file says of itself.

    Attributes:
        salts: Of its present generation; frames with others are left from an earlier one.
        last_committed: The last frame of this generation that ends a transaction, whatever its checksum; 0: none.
        last_sound: The last such frame that SQLite takes when it reads the log: all checksums up to there are right.
        sound: Whether the log's own header is what was written.
    """

    salts: bytes
    last_committed: int
    last_sound: int
    sound: bool


class Index(NamedTuple):
    """What the index beside a log counts: frames committed, of which generation, and how many need no log any more."""

    salts: bytes
    committed_frames: int
    copied_frames: int


def damage(database: Path) -> str:
    """What is wrong with the log of a database that nobody has opened since it was damaged; "" if nothing is."""
    deadline = time.monotonic() + _SETTLES_S
    while True:
        found = _damage(database)
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


def _damage(database: Path) -> str:
    path, index = database.with_name(f"{database.name}-wal"), _index(database)
    log = _log(path)
    if log is None:
        lost = index is not None and index.committed_frames > index.copied_frames
        return f"{path.name} is gone, and with it the last results" if lost else ""
    if log.sound and index is not None and index.salts == log.salts:
        # With none of its frames the database is as it was copied to; with some of them, pages would be older ones.
        whole = log.last_sound >= index.committed_frames or (
            log.last_sound == 0 and index.copied_frames >= index.committed_frames
        )
    else:
        whole = log.sound and log.last_sound >= log.last_committed
    return "" if whole else f"{path.name} is damaged or cut off, and with it the last results"


def _log(path: Path) -> Log | None:
    try:
        with open_file(path) as file:
            content = file.read()
    except FileNotFoundError:
        return None
    if len(content) <= _HEADER:
        return None
    header = content[:_HEADER]
    magic, page = struct.unpack(">I4xI", header[:12])
    salts = header[16:24]
    order = ">" if magic & 1 else "<"
    if magic not in (0x377F0682, 0x377F0683) or page < 512 or page % 8:
        return Log(salts, 0, 0, sound=False)
    if header[24:32] != struct.pack(">2I", *_checksum(struct.unpack(f"{order}6I", header[:24]))):
        return Log(salts, 0, 0, sound=False)
    return _frames(content, salts, page, order)


def _frames(content: bytes, salts: bytes, page: int, order: str) -> Log:
    """The frames of a log, all at once: each goes on from the checksum that is written in the one before."""
    import numpy as np

    count = (len(content) - _HEADER) // (_FRAME + page)
    frames = np.frombuffer(content, np.uint8, count * (_FRAME + page), _HEADER).reshape(count, _FRAME + page)
    heads = frames[:, :_FRAME].copy().view(">u4")  # page number, pages after a commit or 0, salts, checksum
    present = (frames[:, 8:16] == np.frombuffer(salts, np.uint8)).all(axis=1)
    commits = present & (heads[:, 1] != 0)
    told = np.concatenate([frames[:, :8], frames[:, _FRAME:]], axis=1).view(f"{order}u4").astype(np.uint32)
    before = np.vstack([np.frombuffer(content, ">u4", 2, 24), heads[:-1, 4:6]]).astype(np.uint32)
    of_words, of_before = _weights(told.shape[1])
    right = (told @ of_words + before @ of_before == heads[:, 4:6]).all(axis=1) & present
    chain = count if right.all() else int(right.argmin())
    ends = np.flatnonzero(commits) + 1
    taken = ends[ends <= chain]
    return Log(salts, int(ends[-1]) if len(ends) else 0, int(taken[-1]) if len(taken) else 0, sound=True)


def _checksum(words: tuple[int, ...]) -> tuple[int, int]:
    first = second = 0
    for one, two in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & _MASK
        second = (second + two + first) & _MASK
    return first, second


@cache
def _weights(words: int) -> "tuple[numpy.ndarray, numpy.ndarray]":
    """What each word, and the checksum before, adds to both halves of a checksum, modulo 2³²: it is linear in them.

    A pair of words (x, y) makes (a + b + x, a + 2b + x + y) of (a, b).

    Returns:
        (words, 2) and (2, 2), unsigned, of 32 bits.
    """
    import numpy as np

    after = ((1, 0), (0, 1))  # what is done to a checksum from there to the end; columns: of a, of b
    rows: list[tuple[int, int]] = []
    for _ in range(words // 2):
        (aa, ab), (ba, bb) = after
        rows += [(ab, bb), ((aa + ab) & _MASK, (ba + bb) & _MASK)]  # of y, of x: backwards
        after = (
            ((aa + ab) & _MASK, (aa + 2 * ab) & _MASK),
            ((ba + bb) & _MASK, (ba + 2 * bb) & _MASK),
        )
    (aa, ab), (ba, bb) = after
    return np.array(rows[::-1], np.uint32), np.array([(aa, ba), (ab, bb)], np.uint32)


def _index(database: Path) -> Index | None:
    """None where there is none, or none that can be relied on."""
    path = database.with_name(f"{database.name}-shm")
    try:
        with open_file(path) as file:
            data = file.read(2 * _INDEX + 4)
        # A power cut leaves the index and the log as they were at different times.
        older = path.stat().st_mtime < psutil.boot_time()
    except OSError:
        return None
    if older or len(data) < 2 * _INDEX + 4 or data[:_INDEX] != data[_INDEX : 2 * _INDEX] or data[12] != 1:
        return None
    (committed,), (copied,) = struct.unpack("=I", data[16:20]), struct.unpack("=I", data[2 * _INDEX :])
    return Index(data[32:40], committed, copied)
