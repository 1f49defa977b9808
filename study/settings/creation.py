"""A study comes into being, all of it or nothing: settings frozen, data checked, directory, `study.yaml`, ledger."""

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import yaml

from study.config import StudyConfig
from study.crash_points import reached
from study.errors import StudyMismatch, StudyNotFound, UsageError
from study.ledger import Ledger
from study.proposing import Proposer
from study.settings import machine
from study.settings.freezing import frozen
from study.settings.tickets import check_tickets
from study.settings.warm_start import looked_up
from study.storing.restoring import restore_lost


def open_or_create(config: StudyConfig, message: Callable[[str], None]) -> tuple[Ledger, bool]:
    """The ledger of the study of `config`, and whether it is new. Of a study that can't be made nothing is left.

    Raises:
        UsageError: See `machine`, or the name belongs to another study.
    """
    machine.check(config)
    Proposer(config)  # refuses a sampler that does not suit the space
    config = frozen(config, message)
    restored = restore_lost(config.run.home, config.name, config.run.storage, config.run.ledger, message)
    config = looked_up(config, message)
    try:
        Ledger.open(config.ledger_url, config.name).close()
    except StudyNotFound:
        return _create(config), True
    try:
        ledger = Ledger.create(config.ledger_url, config)  # refuses another identity
    except StudyMismatch:
        if restored:
            shutil.rmtree(config.directory, ignore_errors=True)
        raise
    machine.prepare_data(config)
    check_tickets(config)
    config.directory.mkdir(parents=True, exist_ok=True)
    return ledger, False


def write_study_file(config: StudyConfig) -> None:
    """`study.yaml`: the configuration as frozen, complete or not there at all."""
    path = config.directory / "study.yaml"
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    text = yaml.safe_dump(config.shown(), sort_keys=False, allow_unicode=True)
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    for left in path.parent.glob("study.*.tmp"):  # of drivers that died
        left.unlink(missing_ok=True)


def _create(config: StudyConfig) -> Ledger:
    made = _missing(config.directory)
    try:
        machine.prepare_data(config)
        check_tickets(config)
        config.directory.mkdir(parents=True, exist_ok=True)
        write_study_file(config)
        reached("study file written")
        return Ledger.create(config.ledger_url, config)
    except BaseException as error:
        if config.directory in made:
            shutil.rmtree(config.directory, ignore_errors=True)
        _remove_if_empty(config.run.data_path, *made)
        if isinstance(error, OSError):
            raise UsageError(f"--home {config.run.home}: {error.strerror or error}") from None
        raise


def _missing(directory: Path) -> list[Path]:
    """`directory` and its parents, as far as they do not exist; deepest first."""
    return list(itertools.takewhile(lambda path: not path.exists(), (directory, *directory.parents)))


def _remove_if_empty(*folders: Path) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
