"""Copies of a SQLite ledger in the study's own folder, for the day on which its file is damaged or gone.

    <home>/<study>/snapshots/fence-000003-000012.db

A copy every minute, if anything has begun or ended since the last, and one at the end, beside everything else.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from study.clock import WALL_CLOCK, Clock, Repetition
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

    def __init__(self, ledger: Ledger, message: Callable[[str], None], clock: Clock = WALL_CLOCK) -> None:
        self._ledger, self._message, self._clock = ledger, message, clock
        self._copying: Repetition | None = None
        self._copied: object = None
        self._failed = False

    def start(self) -> None:
        """Begins."""
        self._copying = self._clock.repeat("ockham-copying", self._work, COPY_S)

    def finish(self) -> None:
        """Makes the last one."""
        if self._copying is not None:
            self._copying.stop()
        self._try()

    def _work(self) -> float:
        begun = self._clock.monotonic()
        self._try()
        return max(COPY_S, _MOST_PARTS * (self._clock.monotonic() - begun))

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
        content, _ = snapshots.copy_ledger(self._ledger.url, self._ledger.name, scratch=_SCRATCH)
        snapshots.put(content, copies_of(self._ledger), self._ledger.fence or 0)
        self._copied = mark


@contextmanager
def copying(ledger: Ledger, message: Callable[[str], None], clock: Clock = WALL_CLOCK) -> Iterator[None]:
    """Copies while the block runs, of a ledger that is a file."""
    if not ledger.url.startswith("sqlite"):
        yield
        return
    copier = Copier(ledger, message, clock)
    copier.start()
    try:
        yield
    finally:
        copier.finish()
