"""A study that is on its storage and not in this home: ledger and networks come back from there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from study.errors import UsageError
from study.ledger import Ledger
from study.ledger.files import damaged_files, is_result
from study.private import private_files
from study.storing import claims, snapshots
from study.storing.safekeeping import CLAIMS, study_folder
from trainables.storage import Folder, whole_file

_AT_ONCE = 16


def restore_lost(
    home: Path, name: str, storage: str | None, ledger: str | None, say: Callable[[str], None], *, wait_s: float = 35.0
) -> bool:
    """Restores the SQLite ledger of a study from its newest good snapshot, if this home has none.

    Returns:
        Whether it did (and no other process was quicker). What happened after the snapshot is gone: those trials run
        again.
    Raises:
        LeaseHeld: A driver elsewhere still shows heartbeats.
        UsageError: There are snapshots, and none can be used.
    """
    path = home / name / "study.db"
    if storage is None or ledger is not None or path.exists():
        return False
    folder = folder_of(storage, name)
    if not snapshots.exist(folder / "ledger"):
        return False
    claim = claims.wait_until_free(folder, name, wait_s=wait_s, say=say)
    try:
        with private_files(home):
            return _restore_newest(folder, path, claim, say)
    except FileExistsError:
        return False


def _restore_newest(folder: Folder, path: Path, claim: claims.StorageClaim | None, say: Callable[[str], None]) -> bool:
    name = path.parent.name
    for fence, content in snapshots.newest(folder / "ledger"):
        if snapshots.restore(content, path, name, max(fence, claim.fence if claim else 0)):
            restore_claims(folder, path.parent)
            say(f"{name} is not in {path.parents[1]}: its ledger comes from a snapshot on {folder}")
            return True
    raise UsageError(f"--storage {folder}: none of the snapshots of {name!r} there can be used")


def restore_claims(folder: Folder, directory: Path) -> None:
    """What was claimed once there were data comes back beside the study, where it is not there."""
    content = None if (directory / CLAIMS).exists() else folder.read(CLAIMS)
    if content is not None:
        _write(directory / CLAIMS, bytes(content))


def fetch_networks(ledger: Ledger) -> int:
    """Brings the results of trials from the storage that this home lacks, or has damaged; how many files."""
    config = ledger.config
    if config.run.storage is None:
        return 0
    restore_claims(study_folder(config.run.storage, config.name), config.directory)
    folder = study_folder(config.run.storage, config.name) / "trials"
    directory = config.directory / "trials"
    damaged = {name.removeprefix("trials/") for name in damaged_files(ledger.files(), config.directory)}
    wanted = [
        name
        for name in folder.names()
        if is_result(f"trials/{name}") and (name in damaged or not (directory / name).exists())
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for name, content in zip(wanted, pool.map(folder.read, wanted), strict=True):
            if content is not None:
                _write(directory / name, content)
    return len(wanted)


def folder_of(storage: str, name: str) -> Folder:
    """As `study_folder`, for what a user wrote.

    Raises:
        UsageError: It is no path or URI of a kind that can be used.
    """
    try:
        return study_folder(storage, name)
    except (ValueError, OSError) as error:
        raise UsageError(f"--storage {error}") from None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path, lasting=False) as unfinished:
        unfinished.write_bytes(content)
