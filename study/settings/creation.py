"""A study comes into being, all of it or nothing: settings frozen, data checked, directory and ledger made.

Two may be at it at once, under one name. What is looked at and made is so under a lock of the home, which is not held
while data are fetched; the ledger decides whose study it is, and a study that is there is never removed from here.
"""

import contextlib
import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import yaml
from filelock import FileLock

from study.config import StudyConfig
from study.crash_points import crash_if_asked
from study.errors import StudyNotFound, UsageError
from study.ledger import Ledger
from study.ledger.remains import refuse_remains, signature_line
from study.passwords import mask_passwords
from study.proposing import Proposer
from study.settings import machine
from study.settings.copies import say_if_copied
from study.settings.edits import check_study_file
from study.settings.freezing import freeze_config
from study.settings.goals import check_goals
from study.settings.spans import conditions
from study.settings.tickets import check_tickets
from study.settings.warm_start import with_earlier_trials
from study.storing.own_files import require_free_name, require_own
from study.storing.restoring import folder_of, restore_lost
from trainables.storage import LocalFolder, whole_file


def open_or_create(
    config: StudyConfig, message: Callable[[str], None], *, own_trials: bool = False
) -> tuple[Ledger, bool]:
    """The ledger of the study of `config`, and whether it is new. Of a study that can't be made nothing is left.

    Args:
        own_trials: Whether trials are the caller's own, of whose metrics nothing is known.
    Raises:
        UsageError: See `machine` and `check_goals`, or the name belongs to another study.
    """
    missing = [*_missing(config.run.data_path), *_missing(config.directory)]
    try:
        machine.check(config)
        Proposer(config)  # refuses a sampler that does not suit the space
        data = machine.DataSets()
        config, ledger = _look_up(freeze_config(config, message, data), message)
        data.prepare(config)
        check_tickets(config)
        if ledger is None:
            if not own_trials:
                check_goals(config)
            for account in machine.data_accounts(config):
                message(account)
            message(conditions(config.space))
            return _create(config, message)
    except BaseException:
        _remove_if_empty(missing)
        raise
    config.directory.mkdir(parents=True, exist_ok=True)
    return ledger, False


def write_study_file(config: StudyConfig, uid: str = "") -> None:
    """`study.yaml`: the configuration as frozen, complete or not there at all; signed with the study's uid.

    For whoever holds the lease; a run writes it each time, so that it is there in the end whenever a driver dies.
    """
    path = config.directory / "study.yaml"
    text = (signature_line(uid) if uid else "") + yaml.safe_dump(
        config.public_fields(), sort_keys=False, allow_unicode=True
    )
    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
        crash_if_asked("study file written")
    for left in path.parent.glob("study.tmp-*"):
        writer = left.suffix.split("-")[1]
        if writer.isdecimal() and not psutil.pid_exists(int(writer)):
            left.unlink(missing_ok=True)


@contextmanager
def alone_in(home: Path) -> Iterator[None]:
    """Nobody else makes a study of this home meanwhile."""
    home.mkdir(parents=True, exist_ok=True)
    lock = home / ".creation.lock"
    with FileLock(lock, timeout=600):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # no trace; those who wait notice, and wait for the next
                lock.unlink()


def _look_up(config: StudyConfig, message: Callable[[str], None]) -> tuple[StudyConfig, Ledger | None]:
    """The study with what it takes from others, and its ledger if it has one, perhaps only on its storage."""
    with alone_in(config.run.home):
        restored = restore_lost(config.run.home, config.name, config.run.storage, config.run.ledger, message)
        try:
            config = with_earlier_trials(config, message)
            return config, _open(config, message)
        except BaseException:
            if restored:  # by this process, and nobody has seen it yet
                shutil.rmtree(config.directory, ignore_errors=True)
            raise


def _create(config: StudyConfig, message: Callable[[str], None]) -> tuple[Ledger, bool]:
    made = False
    require_free_places(config)
    with alone_in(config.run.home):
        if ledger := _open(config, message):  # somebody else was faster
            return ledger, False
        try:
            require_free_folder(config)
            made = _make_folder(config.directory)
            ledger = Ledger.create(config.ledger_url, config)
            crash_if_asked("study made")
        except BaseException as error:
            if made and _stored_config(config) is None:
                shutil.rmtree(config.directory, ignore_errors=True)
            if isinstance(error, OSError):
                raise UsageError(f"--home {config.run.home}: {error.strerror or error}") from None
            raise
        return ledger, True


def require_free_places(config: StudyConfig) -> None:
    """Refuses a name, or a storage, that other things have.

    Raises:
        UsageError: They do.
    """
    require_free_name(config.name)
    if config.run.storage is not None:
        require_own(folder_of(config.run.storage, config.name), "--storage")


def require_free_folder(config: StudyConfig) -> None:
    """Refuses a folder for a new study in which somebody's files are, or what is left of another study.

    Raises:
        UsageError: They are.
    """
    refuse_remains(config.directory, config.run.ledger and mask_passwords(config.run.ledger))
    require_own(LocalFolder(config.directory), "--home")


def _open(config: StudyConfig, message: Callable[[str], None]) -> Ledger | None:
    """The study's ledger, if there is one; refuses that of another identity."""
    stored = _stored_config(config)
    if stored is None:
        return None
    ledger = Ledger.create(config.ledger_url, config)
    try:
        check_study_file(config.directory / "study.yaml", stored, ledger.config, message)
        say_if_copied(stored, ledger.config, ledger.uid, message)
    except BaseException:
        ledger.close()
        raise
    return ledger


def _stored_config(config: StudyConfig) -> StudyConfig | None:
    """The study of that name as its ledger has it."""
    try:
        with contextlib.closing(Ledger.open(config.ledger_url, config.name)) as ledger:
            return ledger.config
    except StudyNotFound:
        return None


def _make_folder(directory: Path) -> bool:
    """Whether it was this call that made it."""
    try:
        directory.mkdir()
    except FileExistsError:
        return False
    return True


def _missing(directory: Path) -> list[Path]:
    """`directory` and its parents, as far as they do not exist; deepest first."""
    return list(itertools.takewhile(lambda path: not path.exists(), (directory, *directory.parents)))


def _remove_if_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
