"""The store that MLflow's runs of a home go to, made whole or not at all."""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from filelock import FileLock

from study.config import StudyConfig
from study.config.addresses import sqlite_url
from study.crash_points import crash_if_asked
from study.tracking.token import use_token

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


def open_store(config: StudyConfig) -> "tuple[MlflowClient, str]":
    """A client and the study's experiment, both made if they are not there, one process at a time."""
    home = config.run.home
    home.mkdir(parents=True, exist_ok=True)
    own = config.run.own_store
    # Two studies that start in a fresh home would run MLflow's migrations at once, and one would crash.
    with FileLock(home / ".mlflow.lock", timeout=600):
        if own:
            _make_sqlite(own)
            _prepare_sqlite(own)
            settle(own)
        client = client_of(home, config.store_uri)
        experiment = client.get_experiment_by_name(config.name)
        if experiment is None:
            artifacts = (home / "mlartifacts" / config.name).as_uri() if own else None
            return client, str(client.create_experiment(config.name, artifact_location=artifacts))
        if experiment.lifecycle_stage == "deleted":
            client.restore_experiment(experiment.experiment_id)
        if not experiment.experiment_id:
            raise RuntimeError("MLflow has an experiment and did not say which")
        return client, str(experiment.experiment_id)


def client_of(home: Path, uri: str) -> "MlflowClient":
    """MLflow's client of a store, with the home's token, that gives up within seconds.

    Left to itself it would ask a server that does not answer for four minutes. What has to get through (the publisher)
    asks again by itself.
    """
    from mlflow.tracking import MlflowClient

    use_token(home, uri)
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    return MlflowClient(tracking_uri=uri)


def settle(store: Path) -> None:
    """Tells the home's own store where its artifacts lie now: MLflow keeps absolute paths, and homes are moved, copied.

    Without this, a copy would write its artifacts into the home that it was copied from.
    """
    here = (store.parent / "mlartifacts").absolute().as_uri()
    with contextlib.closing(sqlite3.connect(store, timeout=30)) as connection, connection:
        query = "SELECT experiment_id, name, artifact_location FROM experiments WHERE artifact_location LIKE 'file:%'"
        for experiment, name, location in connection.execute(query).fetchall():
            was, found, _ = str(location).rpartition(f"/{quote(name)}")
            if not found or not was.endswith("/mlartifacts") or was == here:
                continue
            moved = {"here": here, "was": was, "length": len(was), "experiment": experiment}
            connection.execute(
                "UPDATE experiments SET artifact_location = :here || substr(artifact_location, :length + 1)"
                " WHERE experiment_id = :experiment",
                moved,
            )
            connection.execute(
                "UPDATE runs SET artifact_uri = :here || substr(artifact_uri, :length + 1)"
                " WHERE experiment_id = :experiment AND substr(artifact_uri, 1, :length) = :was",
                moved,
            )


def _make_sqlite(path: Path) -> None:
    """MLflow's tables, all of them or no file: its migrations are many transactions, and one that was killed between
    two leaves a store that can't be opened any more."""
    if path.exists() and path.stat().st_size > 0:  # one without a byte is what a crash of the machine may leave
        return
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

    for left in path.parent.glob("mlflow.*.tmp*"):  # of publishers that died; the caller has the lock
        left.unlink()
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    engine = create_sqlalchemy_engine(sqlite_url(unfinished))
    _initialize_tables(engine)
    engine.dispose()
    crash_if_asked("store unfinished")
    unfinished.replace(path)


def _prepare_sqlite(path: Path) -> None:
    """WAL lets `ockham ui` read while a publisher writes; that stays with the file.

    With it synchronous=NORMAL, which goes with each connection, is safe enough and spares a sync at each of the dozen
    commits that MLflow makes for a trial.
    """
    from sqlalchemy import Engine, event

    if not event.contains(Engine, "connect", _fewer_syncs):
        event.listen(Engine, "connect", _fewer_syncs)
    connection = sqlite3.connect(path, timeout=30)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _fewer_syncs(connection: Any, _record: object) -> None:
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("PRAGMA synchronous=NORMAL")
