"""Copies of a SQLite ledger in the study's own folder, for the day on which its file is damaged or gone.

    <home>/<study>/snapshots/fence-000003-000012.db

A copy every minute, if anything has begun or ended since the last, and one at the end; a thread of its own makes them.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from study.ledger import Ledger
from study.ledger.remains import COPIES
from study.storing import snapshots
from trainables.storage import Folder, LocalFolder

COPY_S = 60.0
_MOST_PARTS = 20  # copying takes at most one part in so many of the time
_SCRATCH = ".copying-"


def copies_of(ledger: Ledger) -> Folder:
    """Where they lie."""
    return LocalFolder(ledger.config.directory / COPIES)


class Copier:
    """Makes them from `start` to `finish`; a disk that takes none is told of once and costs nothing else."""

    def __init__(self, ledger: Ledger, message: Callable[[str], None]) -> None:
        self._ledger, self._message = ledger, message
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ockham-copying", daemon=True)
        self._copied: object = None
        self._failed = False

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def finish(self) -> None:
        """Makes the last one."""
        self._over.set()
        self._thread.join()
        self._try()

    def _work(self) -> None:
        pause_s = COPY_S
        while not self._over.wait(pause_s):
            begun = time.monotonic()
            self._try()
            pause_s = max(COPY_S, _MOST_PARTS * (time.monotonic() - begun))

    def _try(self) -> None:
        try:
            self._copy()
            self._failed = False
        except Exception as error:  # the ledger itself is what counts
            if not self._failed:
                self._message(
                    f"no copy of the ledger could be made ({type(error).__name__}: {error}); the study goes on"
                )
            self._failed = True

    def _copy(self) -> None:
        mark = (self._ledger.counts(), self._ledger.attempts_begun(), self._ledger.config.trials)
        if mark == self._copied:
            return
        content, _ = snapshots.copied(self._ledger.url, self._ledger.name, scratch=_SCRATCH)
        snapshots.put(content, copies_of(self._ledger), self._ledger.fence or 0)
        self._copied = mark


@contextmanager
def copying(ledger: Ledger, message: Callable[[str], None]) -> Iterator[None]:
    """Copies while the block runs, of a ledger that is a file."""
    if not ledger.url.startswith("sqlite"):
        yield
        return
    copier = Copier(ledger, message)
    copier.start()
    try:
        yield
    finally:
        copier.finish()
