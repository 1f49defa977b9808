"""A trial's `log.txt`, and what it says of reports: stages, levels, and what is undefined and why."""

import contextlib
import io
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainables.record import Record

_SHOWN = ("ratio", "accuracy", "r2", "loss", "auc", "seconds")


def line(record: "Record", at: float) -> str:
    """One report in one line: when, stage and step, key numbers, notes.

    Args:
        at: Seconds since 1970.
    """
    numbers = [
        f"{name}={value:.4g}"
        for name, value in record.metrics.items()
        if not name.endswith("/ci95") and name.rpartition("/")[2].endswith(_SHOWN)
    ]
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    return " ".join(
        [when, f"{record.stage} {record.step}:", *numbers, *(f"[{k}: {v}]" for k, v in record.notes.items())]
    )


class TrialLog(io.TextIOBase):
    """The file that takes what a trial prints. What a full disk does not take is missing there, and ends no trial.

    Args:
        path: Made with its folder, as soon as there is room for it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: io.FileIO | None = None

    def writable(self) -> bool:
        """It is, whatever becomes of it."""
        return True

    def write(self, text: str) -> int:
        """Appends it at once, if there is room."""
        with contextlib.suppress(OSError):
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = io.FileIO(self._path, "a", opener=_open_own)
            self._file.write(text.encode("utf-8", "backslashreplace"))
        return len(text)

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
        super().close()


def _open_own(path: str, flags: int) -> int:
    """Opens no link, which another member of a group may have laid in a home of theirs, and waits for no pipe."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)
