"""A study removed from everywhere it left something: ledger, Optuna's tables, its folder, MLflow, its storage."""

import contextlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from study.errors import UsageError
from study.ledger import ENDED, Ledger
from study.ledger.place import Place
from study.passwords import mask_passwords
from study.settings.creation import alone_in
from study.storing import claims
from study.storing.own_files import remove_own
from study.storing.restoring import folder_of
from study.tracking.mlflow_store import client_of
from study.trust import Sure, ask_nobody, require_trust
from trainables.storage import Folder, LocalFolder

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

Say = Callable[[str], None]


def describe_loss(place: Place, name: str) -> str:
    """What would be lost, in one line.

    Raises:
        StudyNotFound: There is no such study.
    """
    ledger = place.open(name)
    try:
        ended = sum(ledger.counts()[state] for state in ENDED)
    finally:
        ledger.close()
    folder = place.home / name
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    return f"{name}: {ended} finished trials, {size / 1e6:.1f} MB in {folder}, and its runs in MLflow."


def delete_study(place: Place, name: str, say: Say, sure: Sure = ask_nobody) -> None:
    """Deletes the study.

    Only what Ockham wrote: other files in its folders stay, and are named. What can refuse is asked first; what was
    interrupted can be repeated, for the ledger goes last.

    Args:
        say: Told each thing done, in a line.
        sure: Asked about places that only the ledger names.
    Raises:
        StudyNotFound: There is no such study.
        LeaseHeld: A driver runs it, here or elsewhere; nothing is deleted.
        UsageError: It has gone on elsewhere, or the storage or MLflow does not answer; nothing is deleted.
    """
    ledger = place.open(name)
    storage = place.storage or _usable(ledger, "storage")
    home = LocalFolder(place.home / name)
    try:
        if home.path.is_symlink():
            raise UsageError(f"{home} is a link, and what it leads to may be another home's: delete it from there")
        _require_trust(place, ledger, sure)
        there = None if storage is None else _own_folder(ledger, storage, say)
        ledger.acquire()
        try:
            _mlflow(place, ledger, say)
            _optuna(ledger, say)
            if there is not None:
                remove_own(there, say)
            with alone_in(place.home):  # or a new study of that name might begin in the folder that is about to go
                remove_own(home, say, all_but_last=True)
                ledger.delete()
                ledger.close()
                remove_own(home, say)
        except BaseException:
            _release(ledger)
            raise
    finally:
        ledger.close()
    say(f"Study {name} is deleted")


def _release(ledger: Ledger) -> None:
    with contextlib.suppress(Exception):  # it is what went wrong that counts, and the ledger may be gone
        ledger.release()


def _require_trust(place: Place, ledger: Ledger, sure: Sure) -> None:
    """Refuses to connect to places that the user has not been to and does not confirm."""
    run = ledger.config.run
    said = {"tracking_uri": run.tracking_uri, "storage": run.storage}
    require_trust(
        {name: said[name] for name in said if getattr(place, name) is None}, f"the ledger of {ledger.name}", sure
    )


def _usable(ledger: Ledger, name: Literal["tracking_uri", "storage"]) -> str | None:
    try:
        return ledger.config.run.place(name)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _own_folder(ledger: Ledger, storage: str, say: Say) -> Folder:
    """The study's folder on its storage, when nobody drives it from there any more."""
    folder, lease = folder_of(storage, ledger.name), ledger.lease()
    try:
        claims.wait_until_free(folder, ledger.name, say=say)
        claims.check(folder, ledger.name, ledger.uid, lease.fence if lease else 0)
    except OSError as error:
        raise UsageError(
            f"--storage {folder} does not answer ({error}), so nothing has been deleted; try again when it does"
        ) from None
    return folder


def _mlflow(place: Place, ledger: Ledger, say: Say) -> None:
    uri = place.tracking_uri or _usable(ledger, "tracking_uri") or place.store_uri()
    if uri == place.store_uri() and (own := place.own_store) and not own.is_file():
        return
    artifacts = place.home / "mlartifacts" / ledger.name if uri == place.store_uri() else None
    from mlflow.exceptions import MlflowException

    try:
        _runs(client_of(place.home, uri), ledger, artifacts, say)
    except MlflowException as error:
        raise UsageError(
            f"MLflow at {mask_passwords(uri)} does not answer ({error}), so nothing has been deleted; try again "
            "when it does."
        ) from None


def _runs(client: "MlflowClient", ledger: Ledger, artifacts: Path | None, say: Say) -> None:
    """Deletes the study's runs; with the experiment, renamed so that its name is free, unless others are in it.

    Studies of one name in several homes share an experiment on a shared server.

    Args:
        artifacts: Where the home keeps their files, which MLflow itself would leave.
    """
    experiment = client.get_experiment_by_name(ledger.name)
    if experiment is None or experiment.lifecycle_stage == "deleted":
        return
    mine, others = _runs_of(client, experiment.experiment_id, ledger)
    if artifacts is not None and artifacts.is_dir() and not (artifacts.is_symlink() or artifacts.parent.is_symlink()):
        for run_id in mine:
            shutil.rmtree(artifacts / run_id, ignore_errors=True)
        LocalFolder(artifacts).prune()
    if others:
        for run_id in mine:
            client.delete_run(run_id)
        say(f"Deleted {len(mine)} runs of MLflow experiment {ledger.name}; {others} of other studies stay")
        return
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    client.rename_experiment(experiment.experiment_id, f"{ledger.name} (deleted {now}, {ledger.uid})")
    client.delete_experiment(experiment.experiment_id)
    say(f"Deleted MLflow experiment {ledger.name}")


def _runs_of(client: "MlflowClient", experiment: str, ledger: Ledger) -> tuple[list[str], int]:
    """Runs of an experiment that are this study's, and how many are not."""
    mine: list[str] = []
    others, token = 0, None
    while True:
        page = client.search_runs([experiment], max_results=1000, page_token=token)
        for run in page:
            if run.data.tags.get("ockham.uid", "").startswith(f"{ledger.name}/{ledger.uid}"):
                mine.append(run.info.run_id)
            else:
                others += 1
        if not (token := page.token):
            return mine, others


def _optuna(ledger: Ledger, say: Say) -> None:
    """Removes the study from Optuna's tables, where those are in a database that stays."""
    import optuna
    from sqlalchemy import make_url

    from study.ledger.connection import optuna_url

    url = make_url(ledger.url)
    if url.get_backend_name() == "sqlite" and Path(url.database or "").parent.name == ledger.name:
        return  # they go with the folder
    storage = optuna.storages.RDBStorage(optuna_url(ledger.url))
    try:
        if any(summary.study_name == ledger.name for summary in optuna.get_all_study_summaries(storage)):
            optuna.delete_study(study_name=ledger.name, storage=storage)
            say(f"Deleted {ledger.name} from Optuna's tables")
    finally:
        storage.remove_session()
        storage.engine.dispose()
