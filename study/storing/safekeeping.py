"""What a driver leaves on its storage so that another machine can go on when this one is lost.

    <storage>/<study>/driver.json            who drives it (study.storing.claims)
                      ledger/fence-…-….db    copies of a SQLite ledger (study.storing.snapshots)
                      trials/0007/           checkpoints/ (written by the workers), networks.parquet
                      study.yaml  report/

Nothing here is on the scheduling path: a thread of its own copies what has changed. A storage that does not answer
delays copies and costs nothing else.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from study.config import StudyConfig
from study.errors import LeaseLost
from study.ledger import ENDED, Ledger
from study.storing import claims, snapshots
from trainables.storage import Folder, folder_at

NETWORKS = "networks.parquet"
SAVE_S = 10.0
_MOST_PARTS = 20  # copying takes at most one part in so many of the time


def study_folder(storage: str, name: str) -> Folder:
    """Where a study lies on a storage."""
    return folder_at(storage) / name


def trial_folder(number: int) -> str:
    """Of one trial, below the study's."""
    return f"trials/{number:04d}"


class Safekeeper(threading.Thread):
    """Copies and claims until `finish`.

    Args:
        ledger: With the lease held.
        lost: Told when another driver has taken over.
        message: Told, in one sentence, when the storage stops or starts to answer.
    """

    def __init__(
        self, ledger: Ledger, folder: Folder, lost: Callable[[LeaseLost], None], message: Callable[[str], None]
    ) -> None:
        super().__init__(name="ockham-safekeeping", daemon=True)
        self._ledger, self._folder, self._lost, self._message = ledger, folder, lost, message
        self._config: StudyConfig = ledger.config
        self._claim = claims.take(folder, ledger.name, ledger.uid, ledger.fence or 0)
        self._over = threading.Event()
        self._saved: object = None
        self._kept: set[int] | None = None
        self._dropped: set[int] = set()
        self._next_save, self._well = 0.0, True

    def run(self) -> None:
        """Every few seconds: a heartbeat; a copy, if anything has begun or ended since the last."""
        next_beat = 0.0
        while not self._over.wait(1.0):
            now = time.monotonic()
            try:
                if now >= next_beat:
                    self._beat()
                    next_beat = now + claims.BEAT_S
                if now >= self._next_save:
                    self._save_changes()
            except LeaseLost as lost:
                self._lost(lost)
                return
            except OSError as error:
                self._trouble(error)
                next_beat = self._next_save = now + claims.BEAT_S
            else:
                self._fine()

    def finish(self) -> None:
        """Copies the last changes and gives the claim back."""
        self._over.set()
        if self.is_alive():
            self.join(timeout=60.0)
        if not self._well:
            self._message("the storage still does not answer: resume the study later, and it gets what it lacks")
            return
        try:
            self._beat()
            self._copy_report()
            self._save_changes()
            self._beat(held=False)
        except LeaseLost as lost:
            self._lost(lost)
        except OSError as error:
            self._trouble(error)

    def _beat(self, *, held: bool = True) -> None:
        self._claim = self._claim.moved(held=held)
        claims.write(self._folder, self._claim)

    def _save_changes(self) -> None:
        mark = (self._ledger.counts(), self._ledger.attempts_begun(), self._ledger.outbox_size() == 0)
        if mark == self._saved:
            return
        begun = time.monotonic()
        if self._kept is None:
            self._look()
        if self._ledger.url.startswith("sqlite"):
            content, ended = snapshots.copied(self._ledger.url, self._ledger.name)
            self._keep_networks(ended)  # first: whoever has the copy finds the networks that it speaks of
            snapshots.put(content, self._folder / "ledger", self._ledger.fence or 0)
        else:
            ended = set(self._ledger.numbers(*ENDED))
            self._keep_networks(ended)
        self._copy(self._config.directory / "study.yaml", "study.yaml")
        self._drop_checkpoints(ended)
        self._saved = mark
        now = time.monotonic()
        self._next_save = now + max(SAVE_S, _MOST_PARTS * (now - begun))

    def _look(self) -> None:
        """What earlier drivers left."""
        names = (self._folder / "trials").names()
        self._kept = {int(name[:4]) for name in names if name.endswith(f"/{NETWORKS}")}
        unfinished = {int(name.split("/")[0]) for name in names if "/checkpoints/" in name}
        self._dropped = set(self._ledger.numbers(*ENDED)) - unfinished

    def _keep_networks(self, ended: set[int]) -> None:
        kept = self._kept or set()
        for number in sorted(ended - kept):
            name = f"{trial_folder(number)}/{NETWORKS}"  # a failed trial has none, until it is tried again
            if self._copy(self._config.directory / name, name):
                kept.add(number)

    def _drop_checkpoints(self, ended: set[int]) -> None:
        """Only now: a trial whose end no copy knows of goes on from its checkpoint."""
        if self._config.run.keep_checkpoints:
            return
        for number in sorted(ended - self._dropped):
            (self._folder / trial_folder(number) / "checkpoints").remove_all()
            self._dropped.add(number)

    def _copy_report(self) -> None:
        report = self._config.directory / "report"
        for path in sorted(report.rglob("*")) if report.is_dir() else ():
            if path.is_file():
                self._copy(path, f"report/{path.relative_to(report)}")

    def _copy(self, path: Path, name: str) -> bool:
        if not path.is_file():
            return False
        self._folder.write(name, [path.read_bytes()])
        return True

    def _trouble(self, error: OSError) -> None:
        if self._well:
            self._message(f"the storage does not answer ({error}); this machine's disk has everything")
        self._well = False

    def _fine(self) -> None:
        if not self._well:
            self._message("the storage answers again")
        self._well = True


@contextmanager
def safekeeping(
    ledger: Ledger, lost: Callable[[LeaseLost], None], message: Callable[[str], None]
) -> Iterator[Safekeeper | None]:
    """A Safekeeper while the block runs; None for a study without a storage.

    Raises:
        UsageError: The storage holds another study of that name, or has gone on without this home.
    """
    storage = ledger.config.run.storage
    if storage is None:
        yield None
        return
    keeper = Safekeeper(ledger, study_folder(storage, ledger.name).hurried(), lost, message)
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.finish()
