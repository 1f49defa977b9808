"""Many new runs at once, written straight into the home's own MLflow store.

For one run MLflow's client takes a dozen transactions and two hundred statements, 22 ms of a processor; what a trial
that has just ended, or a study that MLflow never heard of, has to tell fits into one transaction of five statements for
all of them together. This is for new runs only and for the one version of the store that it knows (`REVISION`);
anything else goes through the client. A test compares what both leave.
"""

import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities import Metric

REVISION = "dc11669786a5"  # of the store's tables, in MLflow's own counting
BUSY_S = 30.0
_RUN = (
    "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,"
    " end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
    " VALUES (?, ?, 'UNKNOWN', '', '', 'unknown', ?, ?, ?, '', 'active', ?, ?)"
)
_TAG = "INSERT INTO tags (run_uuid, key, value) VALUES (?, ?, ?)"
_PARAM = "INSERT INTO params (run_uuid, key, value) VALUES (?, ?, ?)"
_METRIC = "INSERT INTO {} (run_uuid, key, timestamp, step, value, is_nan) VALUES (?, ?, ?, ?, ?, 0)"


@dataclass(frozen=True)
class NewRun:
    """All that is known of a run so far.

    Attributes:
        status: RUNNING, or how it ended.
        start_ms: Milliseconds since 1970; `end_ms` likewise, None while it runs.
    """

    name: str
    status: str
    start_ms: int
    end_ms: int | None
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: "Sequence[Metric]"


def write(store: Path, experiment: str, runs: Sequence[NewRun]) -> list[str] | None:
    """Adds `runs` to an experiment, all or none of them, and returns their ids.

    Returns:
        None, and nothing changes, if the store is of another version or the experiment is not active.
    Raises:
        MlflowException: One of the runs has something that MLflow's client would refuse.
        sqlite3.Error: The store is not there, or is locked.
    """
    rows = [_Rows(run) for run in runs]
    # mode=rw: a store that someone has removed is not made again, empty
    with closing(sqlite3.connect(f"{store.as_uri()}?mode=rw", uri=True, timeout=BUSY_S)) as connection:
        connection.isolation_level = None
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        place = _artifacts(connection, experiment)
        if place is None:
            return None
        values = [(one.id, r.name, r.status, r.start_ms, r.end_ms) for one, r in zip(rows, runs, strict=True)]
        connection.executemany(_RUN, [(*v, f"{place}/{v[0]}/artifacts", int(experiment)) for v in values])
        connection.executemany(_TAG, [row for one in rows for row in one.tags])
        connection.executemany(_PARAM, [row for one in rows for row in one.params])
        connection.executemany(_METRIC.format("metrics"), [row for one in rows for row in one.metrics])
        connection.executemany(_METRIC.format("latest_metrics"), [row for one in rows for row in one.latest])
        connection.execute("COMMIT")
    return [one.id for one in rows]


class _Rows:
    """A run's rows; checked and cut by MLflow's own rules."""

    def __init__(self, run: NewRun) -> None:
        from mlflow.entities import RunTag
        from mlflow.utils.validation import _validate_batch_log_data

        metrics, _, tags = _validate_batch_log_data(
            list(run.metrics),
            [],
            [RunTag(key, value) for key, value in {**run.tags, "mlflow.runName": run.name}.items()],
        )
        self.id = uuid.uuid4().hex
        self.tags = [(self.id, tag.key, tag.value) for tag in tags]
        self.params = [(self.id, *_param(key, value)) for key, value in run.params.items()]
        self.metrics = list(dict.fromkeys((self.id, one.key, one.timestamp, one.step, one.value) for one in metrics))
        # the newest of each metric by step, then time, then value
        ordered = sorted(self.metrics, key=lambda row: (row[3], row[2], row[4]))
        self.latest = list({row[1]: row for row in ordered}.values())


@lru_cache(maxsize=10_000)
def _param(key: str, value: str) -> tuple[str, str]:
    """As MLflow takes it. The trials of a study have forty alike: looking at each again took a quarter of the time."""
    from mlflow.entities import Param
    from mlflow.utils.validation import _validate_batch_log_data

    _, (taken,), _ = _validate_batch_log_data([], [Param(key, value)], [])
    return taken.key, taken.value


def _artifacts(connection: sqlite3.Connection, experiment: str) -> str | None:
    """Where the experiment's artifacts lie; None if nothing may be written to it here."""
    if connection.execute("SELECT version_num FROM alembic_version").fetchall() != [(REVISION,)]:
        return None
    query = "SELECT artifact_location FROM experiments WHERE experiment_id = ? AND lifecycle_stage = 'active'"
    found = connection.execute(query, (int(experiment),)).fetchone()
    return None if found is None else str(found[0])
