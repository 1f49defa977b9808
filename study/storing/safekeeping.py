"""What a driver leaves on its storage so that another machine can go on when this one is lost.

    <storage>/<study>/driver.json            who drives it (study.storing.claims)
                      ledger/fence-…-….db    copies of a SQLite ledger (study.storing.snapshots)
                      trials/0007/           checkpoints/ (written by the workers), networks.parquet …
                      study.yaml  claims.yaml  report/

Nothing here is on the scheduling path: threads of their own copy what has changed. A storage that does not answer
delays copies and costs nothing else.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from study.clock import WALL_CLOCK, Clock, Repetition
from study.config import StudyConfig
from study.errors import LeaseLost
from study.ledger import ENDED, Ledger
from study.ledger.files import NETWORKS, RESULTS, result_of
from study.storing import claims, snapshots
from trainables.storage import Folder, folder_at

SAVE_S = 10.0
CLAIMS = "claims.yaml"  # what somebody claimed once there were data
KEPT = ("study.yaml", CLAIMS)
_CLAIM, _RESULTS = "this driver's claim", "the results"
_MOST_PARTS = 20  # copying takes at most one part in so many of the time


def study_folder(storage: str, name: str) -> Folder:
    """Where a study lies on a storage."""
    return folder_at(storage) / name


def trial_folder(number: int) -> str:
    """Name of a trial's folder, below the study's."""
    return f"trials/{number:04d}"


class Safekeeper:
    """Copies and claims from `start` until `finish`, beside each other: a long copy must not look like death.

    Args:
        ledger: With the lease held.
        lost: Told when another driver has taken over.
        message: Told, in one sentence, when something can't be stored, and when all can again.
    """

    def __init__(
        self,
        ledger: Ledger,
        folder: Folder,
        lost: Callable[[LeaseLost], None],
        message: Callable[[str], None],
        clock: Clock = WALL_CLOCK,
    ) -> None:
        self._ledger, self._folder, self._lost, self._message = ledger, folder, lost, message
        self._clock = clock
        self._config: StudyConfig = ledger.config
        self._claim = claims.take(folder, ledger.name, ledger.uid, ledger.fence or 0)
        self._saving: Repetition | None = None
        self._heart: Repetition | None = None
        self._saved: object = None
        self._kept: set[int] | None = None
        self._dropped: set[int] = set()
        self._next_save = 0.0
        self._telling = threading.Lock()
        self._failing: set[str] = set()
        self._replaced = False

    def start(self) -> None:
        """Begins."""
        self._saving = self._clock.repeat("ockham-safekeeping", self._save, 1.0)
        self._heart = self._clock.repeat("ockham-claim", self._beat, claims.BEAT_S)

    def finish(self) -> None:
        """Copies the last changes and gives the claim back."""
        if self._saving is not None:
            self._saving.stop()
        if not self._failing:
            self._try(_RESULTS, self._copy_report)
            self._try(_RESULTS, self._save_changes)
        if self._heart is not None:
            self._heart.stop()
        if self._failing:
            self._message("the storage may lack the latest results: resume the study later, and it gets them")
        if _CLAIM not in self._failing:  # else it would only cost another wait
            self._try(_CLAIM, lambda: self._write_claim(held=False))

    def _save(self) -> float:
        """A copy, if anything has begun or ended since the last; seconds until the next."""
        well = self._try(_RESULTS, self._save_changes)
        return max(1.0, self._next_save - self._clock.monotonic()) if well else claims.BEAT_S

    def _beat(self) -> float:
        self._try(_CLAIM, self._write_claim)
        return claims.BEAT_S

    def _write_claim(self, *, held: bool = True) -> None:
        self._claim = self._claim.next_beat(held=held)
        claims.write(self._folder, self._claim)

    def _try(self, what: str, call: Callable[[], None]) -> bool:
        """Whether `call` came to its end. Whatever goes wrong here, the study goes on."""
        if self._replaced:
            return False
        try:
            call()
        except LeaseLost as lost:
            self._replaced = True
            self._lost(lost)
            return False
        except Exception as error:
            self._tell(what, error)
            return False
        self._tell(what, None)
        return True

    def _tell(self, what: str, error: Exception | None) -> None:
        with self._telling:
            before = bool(self._failing)
            (self._failing.discard if error is None else self._failing.add)(what)
            if error is not None and not before:
                said = f"{type(error).__name__}: {error}"
                self._message(f"the storage does not take {what} ({said}); this machine's disk has everything")
            elif before and not self._failing:
                self._message("the storage can be written again")

    def _save_changes(self) -> None:
        claims_at = _changed_at(self._config.directory / CLAIMS)
        mark = (self._ledger.counts(), self._ledger.attempts_begun(), self._ledger.outbox_size() == 0, claims_at)
        if mark == self._saved:
            return
        begun = self._clock.monotonic()
        if self._kept is None:
            self._kept = self._look()
        if self._ledger.url.startswith("sqlite"):
            content, ended = snapshots.copy_ledger(self._ledger.url, self._ledger.name)
            self._keep_networks(ended, self._kept)  # first: whoever has the copy finds the networks that it speaks of
            snapshots.put(content, self._folder / "ledger", self._ledger.fence or 0)
        else:
            ended = set(self._ledger.numbers(*ENDED))
            self._keep_networks(ended, self._kept)
        for name in KEPT:
            self._copy(self._config.directory / name, name)
        self._drop_checkpoints(ended)
        self._saved = mark
        now = self._clock.monotonic()
        self._next_save = now + max(SAVE_S, _MOST_PARTS * (now - begun))

    def _look(self) -> set[int]:
        """What earlier drivers left: trials whose networks are there."""
        names = (self._folder / "trials").names()
        unfinished = {_number(name) for name in names if "/checkpoints/" in name}
        self._dropped = set(self._ledger.numbers(*ENDED)) - unfinished
        return {_number(name) for name in names if name.endswith(f"/{NETWORKS}")}

    def _keep_networks(self, ended: set[int], kept: set[int]) -> None:
        for number in sorted(ended - kept):
            for kind in RESULTS:  # a failed trial has none, until it is tried again
                name = result_of(number, kind)
                if self._copy(self._config.directory / name, name) and kind == NETWORKS:
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


def _changed_at(path: Path) -> int:
    """In nanoseconds; 0 of what is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def keep_claims(config: StudyConfig) -> bool:
    """Puts claims that were stated with no driver at work on the storage of their study, if it has one.

    Returns:
        Whether they are where they belong.
    """
    path = config.directory / CLAIMS
    if config.run.storage is None or not path.is_file():
        return True
    try:
        study_folder(config.run.storage, config.name).write(CLAIMS, [path.read_bytes()])
    except Exception:  # whatever a storage raises: they are kept beside the study all the same
        return False
    return True


def _number(name: str) -> int:
    """Number of the trial that a file below `trials` belongs to; more than four digits from 10,000 on."""
    return int(name.partition("/")[0])


def check_storage(ledger: Ledger) -> None:
    """Refuses a home that the study has left, before it takes the lease.

    Raises:
        UsageError: See `claims.check`.
    """
    storage, lease = ledger.config.run.storage, ledger.lease()
    if storage is not None and lease is not None:
        claims.check(study_folder(storage, ledger.name), ledger.name, ledger.uid, lease.fence)


@contextmanager
def safekeeping(
    ledger: Ledger,
    lost: Callable[[LeaseLost], None],
    message: Callable[[str], None],
    clock: Clock = WALL_CLOCK,
) -> Iterator[Safekeeper | None]:
    """A Safekeeper while the block runs; None for a study without a storage.

    Raises:
        UsageError: The storage holds another study of that name, or has gone on without this home.
    """
    storage = ledger.config.run.storage
    if storage is None:
        yield None
        return
    keeper = Safekeeper(ledger, study_folder(storage, ledger.name).without_patience(), lost, message, clock)
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.finish()
