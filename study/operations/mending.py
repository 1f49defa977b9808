"""A damaged ledger of a home becomes whole again: from what is left of it, or from its newest sound copy.

What was there is never thrown away: it is moved into `<study>/damaged-<time>/` first.
"""

import contextlib
import shlex
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from study.errors import Damaged, LeaseHeld, StudyNotFound, UsageError
from study.ledger import ENDED, Ledger, intact
from study.ledger.holder import Holder
from study.ledger.place import Place
from study.ledger.remains import COPIES, signature
from study.passwords import mask_passwords
from study.private import private_files
from study.settings.creation import write_study_file
from study.storing import snapshots
from study.storing.restoring import folder_of
from trainables.storage import Folder, LocalFolder

Say = Callable[[str], None]
_BESIDE = ("study.db", "study.db-wal", "study.db-shm")


@dataclass(frozen=True)
class Candidate:
    """A ledger that a study could go on with.

    Attributes:
        what: For people: where it is from.
        uid: Of the study.
        ended_count: How many trials have ended in it.
        fence: Of its last lease.
        content: The database file.
    """

    what: str
    uid: str
    ended_count: int
    fence: int
    content: bytes


def mend_ledger(place: Place, name: str, say: Say) -> bool:
    """Makes the SQLite ledger of a study whole; whether there was anything to do.

    Of what is left of the ledger and its copies that counts in which most trials have ended; those first that are of
    the study that has signed study.yaml. With none such, the ledger is right and study.yaml is not.

    Raises:
        LeaseHeld: A driver runs the study.
        UsageError: Nothing sound is left.
    """
    directory = place.home.absolute() / name
    path = directory / "study.db"
    with private_files(place.home), FileLock(place.home / ".creation.lock", timeout=600):
        owner = signature(directory)
        if path.is_file() and not intact.trouble_of(path, whole=True):
            known = _sound(path, name)
            if known is not None and owner in ("", known[0]):
                return False
        _refuse_if_driven(path, name)
        candidates = [*_what_is_left(path, name), *_copies(place, name, directory)]
        if not candidates:
            raise UsageError(
                f"nothing of the ledger of {name!r} in {directory} can be used, and there is no sound copy of it; put "
                f"study.db back from a backup, give the --storage that has copies, or start anew under another --name; "
                f"what is left of this one is given up with: rm -r {shlex.quote(str(directory))}"
            )
        candidates = [found for found in candidates if found.uid == owner] or candidates
        best = max(
            candidates, key=lambda found: found.ended_count
        )  # of equals the first: what is left, then newer copies
        kept = _moved_away(directory)
        fence = max(candidate.fence for candidate in candidates)
        if not snapshots.restore(best.content, path, name, fence):
            raise UsageError(f"{best.what} can't be restored; what was there is in {kept}")
    say(
        f"{name}: its ledger is {best.what} now, in which {best.ended_count} trials have ended; "
        f"what was there is in {kept}"
    )
    return True


def mend_study_file(ledger: Ledger, say: Say) -> bool:
    """Writes study.yaml again where it is not what the ledger says; whether it was."""
    path = ledger.config.directory / "study.yaml"
    before = path.read_bytes() if path.is_file() else None
    with private_files(ledger.config.run.home):
        write_study_file(ledger.config, ledger.uid)
    if path.read_bytes() == before:
        return False
    say(f"{ledger.name}: study.yaml is what the ledger says again")
    return True


def mend_store(place: Place, say: Say) -> bool:
    """Moves a damaged MLflow store of the home away; the next run of each study fills a new one from its ledger."""
    path = place.own_store
    if path is None or not path.exists() or not intact.trouble_of(path, whole=True):
        return False
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    path.rename(aside)
    for tail in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + tail).rename(f"{aside}{tail}")
    say(f"MLflow's store was damaged and is {aside.name} now; resuming a study tells a new one all about it")
    return True


def _refuse_if_driven(path: Path, name: str) -> None:
    """As far as can be seen in what is left."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5.0)) as connection:
            query = "SELECT held, holder, since_ms FROM ockham_leases WHERE study = ?"
            row = connection.execute(query, (name,)).fetchone()
    except sqlite3.Error:
        return
    if row and row[0] and row[1]:
        with contextlib.suppress(Damaged):
            holder = Holder(**intact.parse_json(row[1], "who drives it", name))
            if holder.fate() == "alive":
                raise LeaseHeld(name, str(holder), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row[2] / 1000)))


def _what_is_left(path: Path, name: str) -> Iterator[Candidate]:
    """The file with as much of its log as SQLite takes, if that is a sound database with the study in it."""
    if not path.is_file():
        return
    with tempfile.TemporaryDirectory(prefix=".mending-", dir=path.parent) as scratch:
        copy = Path(scratch) / path.name
        for beside in _BESIDE[:2]:
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(path.with_name(beside), copy.with_name(beside))
        try:
            with closing(sqlite3.connect(copy)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                    return
        except sqlite3.DatabaseError:
            return
        if (known := _sound(copy, name)) is not None:
            yield Candidate("what was left of it", *known, copy.read_bytes())


def _copies(place: Place, name: str, directory: Path) -> Iterator[Candidate]:
    """Newest first; those in the folder, then those on a storage."""
    folders: list[tuple[str, Folder]] = [(f"a copy in {directory / COPIES}", LocalFolder(directory / COPIES))]
    if place.storage is not None:
        folders.append((f"a copy on {mask_passwords(place.storage)}", folder_of(place.storage, name) / "ledger"))
    for what, folder in folders:
        for fence, content in snapshots.newest(folder):
            with tempfile.TemporaryDirectory(prefix=".mending-", dir=directory) as scratch:
                copy = Path(scratch) / "study.db"
                copy.write_bytes(content)
                known = _sound(copy, name)
            if known is not None:
                yield Candidate(what, *known[:2], max(fence, known[2]), content)


def _sound(path: Path, name: str) -> tuple[str, int, int] | None:
    """(uid, trials ended, fence) of a database in which every row of the study is what was written; None of others."""
    try:
        ledger = Ledger.open(f"sqlite:///{path}", name)
    except (Damaged, StudyNotFound):
        return None
    try:
        if ledger.damaged_trials(steps_too=True):
            return None
        counts, lease = ledger.counts(), ledger.lease()
        return ledger.uid, sum(counts[state] for state in ENDED), lease.fence if lease else 0
    except Damaged:
        return None
    finally:
        ledger.close()


def _moved_away(directory: Path) -> Path:
    aside = directory / f"damaged-{time.strftime('%Y%m%d-%H%M%S')}"
    aside.mkdir()
    for name in _BESIDE:
        with contextlib.suppress(FileNotFoundError):
            (directory / name).rename(aside / name)
    return aside
