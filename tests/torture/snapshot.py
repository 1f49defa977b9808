"""All that a study left, in the ledger, in Optuna's tables, in MLflow and in files, as one flat dictionary.

Two runs of the same study have to leave the same one. Left out is what may differ: ids, times, the number of attempts,
the values of `cost/*` (not their being there), and whether a trial took dense networks from the store: one that was
killed after it had put them there does.
"""

import json
import sqlite3
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet

from study.ledger import Ledger

Snapshot = dict[str, Any]
_REUSED = ("cost/reused_seconds", "cost/reused")
_TAGS = ("ockham.trial", "ockham.role", "ockham.state", "ockham.fingerprint", "ockham.error")


def snapshot(home: Path, name: str, mlflow: Path | None = None) -> Snapshot:
    """What there is of a study.

    Args:
        mlflow: The SQLite store of MLflow, unless it is the home's.
    """
    database = home / name / "study.db"
    ledger = Ledger.open(f"sqlite:///{database}", name)
    try:
        found = {**_ledger(ledger, database), **_optuna(ledger), **_networks(home / name)}
        found |= tracked(mlflow or home / "mlflow.db", ledger)
    finally:
        ledger.close()
    unfinished = [p.name for p in (home / name).rglob("*") if ".tmp" in p.name or p.name == "checkpoints"]
    return {**found, "files/unfinished": unfinished}


def differences(expected: Snapshot, found: Snapshot) -> list[str]:
    """A line for each record that was lost, is there without reason, or was altered."""
    lines = [f"lost: {key}" for key in expected if key not in found]
    lines += [f"too many: {key}" for key in found if key not in expected]
    return lines + [
        f"altered: {key}: {_short(found[key])} instead of {_short(value)}"
        for key, value in expected.items()
        if key in found and found[key] != value
    ]


def first(whole: Snapshot, trials: int) -> Snapshot:
    """What a study of the first `trials` trials would have left."""
    return {key: value for key, value in whole.items() if not (n := key.split("/")[1]).isdigit() or int(n) < trials}


def _ledger(ledger: Ledger, database: Path) -> Snapshot:
    found: Snapshot = {"ledger/outbox": ledger.outbox_size()}
    for row in ledger.trials():
        lasting = {"state": row.state, "role": row.role, "fingerprint": row.fingerprint, "error": row.error}
        told = {"params": row.params, "proposed": row.proposed, "metrics": _lasting(row.metrics)}
        told["notes"] = _lasting_notes(row.notes)
        found[f"ledger/{row.number}"] = lasting | told
        for step in ledger.steps(row.number):
            found[f"ledger/{row.number}/{step.stage}/{step.step}"] = [
                _lasting(step.metrics),
                _lasting_notes(step.notes),
            ]
    query = "SELECT number, attempt, outcome FROM ockham_attempts WHERE study = ? ORDER BY number, attempt"
    for number, attempts in groupby(_rows(database, query, ledger.name), lambda row: row[0]):
        listed = list(attempts)
        consecutive = [row[1] for row in listed] == list(range(1, len(listed) + 1))
        outcomes = [row[2] for row in listed]
        one_end = outcomes[-1] not in ("requeued", "charged", None) and set(outcomes[:-1]) <= {"requeued", "charged"}
        found[f"ledger/{number}/attempts"] = "in order, one end" if consecutive and one_end else listed
    return found


def _optuna(ledger: Ledger) -> Snapshot:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found = {}
    for trial in optuna.load_study(study_name=ledger.name, storage=ledger.url).trials:
        attributes = {name: value for name, value in trial.user_attrs.items() if name != "uid"}
        found[f"optuna/{trial.number}"] = [trial.state.name, trial.values, trial.params, attributes]
    return found


def _networks(folder: Path) -> Snapshot:
    found = {}
    for path in folder.glob("trials/*/*.parquet"):
        for place, row in enumerate(pyarrow.parquet.read_table(path).to_pylist()):
            found[f"{path.stem}/{int(path.parent.name)}/{place}"] = json.dumps(row)
    return found


def tracked(store: Path, ledger: Ledger) -> Snapshot:
    """What MLflow has, read from the tables themselves: they show a metric that was logged twice."""
    query = (
        "SELECT run_uuid, status FROM runs JOIN experiments USING (experiment_id)"
        " WHERE experiments.name = ? AND runs.lifecycle_stage = 'active'"
    )
    runs = dict(_rows(store, query, ledger.name))
    tags: dict[str, dict[str, str]] = {run: {} for run in runs}
    for run, key, value in _rows(store, "SELECT run_uuid, key, value FROM tags"):
        tags.get(run, {})[key] = value
    numbers = {run: own["ockham.trial"] for run, own in tags.items() if "ockham.trial" in own}
    studies = [run for run in runs if run not in numbers]
    found: Snapshot = {"mlflow/studies": [runs[run] for run in studies]}
    known = ledger.mlflow_runs()
    notes = {row.number: _lasting_notes(row.notes) for row in ledger.trials()}
    for run, number in numbers.items():
        key = _free(found, f"mlflow/{number}")
        linked = known.get(int(number)) == run and tags[run].get("mlflow.parentRunId") in studies
        kept = {name: tags[run].get(name) for name in (*_TAGS, *notes.get(int(number), ()))}
        found[key] = [runs[run], "linked" if linked else "not linked", kept]
    for run, *param in _rows(store, "SELECT run_uuid, key, value FROM params ORDER BY key"):
        if run in numbers:
            found.setdefault(f"mlflow/{numbers[run]}/params", []).append(param)
    points = _rows(store, "SELECT run_uuid, key, step, value FROM metrics ORDER BY run_uuid, key, step, timestamp")
    for (run, key), logged in groupby(points, lambda point: (point[0], point[1])):
        if run in numbers and key not in _REUSED:
            values = [(step, None if key.startswith("cost/") else value) for _, _, step, value in logged]
            found[_free(found, f"mlflow/{numbers[run]}/{key}")] = values
    return found


def _free(found: Mapping[str, Any], key: str) -> str:
    """`key`, marked where it is there already."""
    return key if key not in found else _free(found, f"{key} (again)")


def _lasting(metrics: Mapping[str, float]) -> dict[str, float | None]:
    lasting = {name: value for name, value in metrics.items() if name not in _REUSED}
    return {name: None if name.startswith("cost/") else value for name, value in lasting.items()}


def _lasting_notes(notes: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in notes.items() if name not in _REUSED}


def _rows(database: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(database, timeout=30)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def _short(value: object, most: int = 160) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= most else f"{text[:most]}…"
