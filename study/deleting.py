"""A study removed from everywhere it left something: ledger, Optuna's tables, its folder, MLflow."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from study.errors import UsageError
from study.ledger import ENDED, Ledger
from study.settings.place import Place
from study.storing.restoring import folder_of


def described(place: Place, name: str) -> str:
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
    return f"{name}: {ended} finished trials, {size / 1e6:.1f} MB in {folder}, and its MLflow experiment."


def delete_study(place: Place, name: str) -> Iterator[str]:
    """Deletes the study; yields a line for each thing done.

    MLflow comes first: if it does not answer, nothing is deleted and the command can be repeated.

    Raises:
        StudyNotFound: There is no such study.
        LeaseHeld: A driver runs it; nothing is deleted.
        UsageError: MLflow does not answer.
    """
    ledger = place.open(name)
    try:
        ledger.acquire()
        try:
            yield from _experiment(place, ledger)
            yield from _optuna(ledger)
        except BaseException:
            ledger.release()
            raise
        ledger.delete()
    finally:
        ledger.close()
    folder = place.home / name
    if folder.is_dir():
        shutil.rmtree(folder)
        yield f"Deleted {folder}"
    artifacts = place.home / "mlartifacts" / name
    if place.tracking_uri is None and artifacts.is_dir():
        shutil.rmtree(artifacts)
        yield f"Deleted {artifacts}"
    storage = place.storage or ledger.config.run.storage
    if storage is not None:
        there = folder_of(storage, name)
        there.remove_all()
        yield f"Deleted {there}"
    yield f"Study {name} is deleted"


def _experiment(place: Place, ledger: Ledger) -> Iterator[str]:
    """Deletes the MLflow experiment, renamed so that its name is free for a new study."""
    uri = place.tracking_uri or ledger.config.run.tracking_uri or place.tracking()
    if place.tracking_uri is None and uri == place.tracking() and not (place.home / "mlflow.db").is_file():
        return
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    try:
        client = MlflowClient(tracking_uri=uri)
        experiment = client.get_experiment_by_name(ledger.name)
        if experiment is None or experiment.lifecycle_stage == "deleted":
            return
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        client.rename_experiment(experiment.experiment_id, f"{ledger.name} (deleted {now}, {ledger.uid})")
        client.delete_experiment(experiment.experiment_id)
    except MlflowException as error:
        raise UsageError(
            f"MLflow at {uri} does not answer ({error}), so nothing has been deleted; try again when it does."
        ) from None
    yield f"Deleted MLflow experiment {ledger.name}"


def _optuna(ledger: Ledger) -> Iterator[str]:
    """Removes the study from Optuna's tables, where those are in a database that stays."""
    if ledger.url.startswith("sqlite") and Path(ledger.url.removeprefix("sqlite:///")).parent.name == ledger.name:
        return  # they go with the folder
    import optuna

    from study.ledger.connection import optuna_url

    storage = optuna.storages.RDBStorage(optuna_url(ledger.url))
    try:
        if any(summary.study_name == ledger.name for summary in optuna.get_all_study_summaries(storage)):
            optuna.delete_study(study_name=ledger.name, storage=storage)
            yield f"Deleted {ledger.name} from Optuna's tables"
    finally:
        storage.remove_session()
        storage.engine.dispose()
