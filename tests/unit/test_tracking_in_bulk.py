"""What is written in bulk is what MLflow's and Optuna's own ways would have left."""

import math
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState, create_trial
from sqlalchemy import text

from search_spaces.space import Choices, Range
from study import tested_versions
from study.ledger import Ledger
from study.proposing import Proposer
from study.tracking import mlflow_bulk, optuna_bulk
from study.tracking.mlflow_sink import MlflowSink
from study.tracking.optuna_projection import project
from tests.studies_for_tests import a_ledger, a_study
from trainables.record import Record

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]


def told(home: Path) -> Ledger:
    """Trials that are complete, failed and tried again, running."""
    span = {"data.label_noise": Choices(values=(0, 0.5, 1)), "model.width": Range(low=16, high=64, log=True)}
    config = a_study(home, span=span, trials=3)
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    ledger.propose([Proposer(config).propose(number) for number in range(3)])
    odd = {"gap/loss": 0, "test/loss": 1e308, "level/ratio": 2.0}
    for number in range(3):
        ledger.start_attempt(number)
    ledger.finish(0, 1, "COMPLETE", records=[Record("level", 1, odd), Record("level", 2, {"level/ratio": 4.0})])
    ledger.finish(1, 1, "FAILED", error="ValueError: " + 6000 * "x")
    ledger.record(2, 1, [Record("dense", 3, {"val/accuracy": 0.5}, {"train/stop_reason": "train_loss x5"})])
    return ledger


def seen(run: Any) -> dict[str, Any]:
    """All that a run shows, its own id aside."""
    info = {name: value for name, value in dict(run.info).items() if name not in ("run_id", "run_uuid")}
    info["artifact_uri"] = info["artifact_uri"].replace(run.info.run_id, "ID")
    return {
        "info": info,
        "tags": run.data.tags,
        "params": run.data.params,
        "metrics": str(sorted(run.data.metrics.items())),
    }


def test_runs_are_those_that_the_client_makes(tmp_path: Path) -> None:
    ledger = told(tmp_path)
    sink = MlflowSink(ledger.config, ledger.uid)
    rows = ledger.trials()
    messages = {row.number: [one for one in ledger.outbox() if one.number == row.number] for row in rows}
    quick = sink.new_runs([(row, messages[row.number]) for row in rows])
    assert sorted(quick) == [0, 1, 2]
    slow = {row.number: sink.new_run(row) for row in rows}
    for row in rows:
        sink.publish(slow[row.number], messages[row.number], row)
    client = sink._client
    for number in quick:
        one, other = client.get_run(quick[number]), client.get_run(slow[number])
        assert seen(one) == seen(other)
        for name in one.data.metrics:
            histories = [client.get_metric_history(run.info.run_id, name) for run in (one, other)]
            assert str([dict(m) | {"run_id": ""} for m in histories[0]]) == str(
                [dict(m) | {"run_id": ""} for m in histories[1]]
            )
    assert [client.get_run(quick[number]).info.status for number in range(3)] == ["FINISHED", "FAILED", "RUNNING"]


def test_a_store_of_another_version_is_left_to_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = told(tmp_path)
    sink = MlflowSink(ledger.config, ledger.uid)
    monkeypatch.setattr(mlflow_bulk, "REVISION", "another")
    before = sink.trial_runs()
    assert sink.new_runs([(ledger.trial(0), ledger.outbox())]) == {}
    assert sink.trial_runs() == before


def test_a_removed_store_is_not_made_again(tmp_path: Path) -> None:
    ledger = told(tmp_path)
    sink = MlflowSink(ledger.config, ledger.uid)
    store = ledger.config.run.own_store
    assert store is not None
    store.unlink()
    with pytest.raises(Exception, match="unable to open"):
        sink.new_runs([(ledger.trial(0), ledger.outbox())])
    assert not store.exists()


def test_trials_are_those_that_optuna_makes(tmp_path: Path) -> None:
    a_ledger(tmp_path)
    storage = RDBStorage(f"sqlite:///{tmp_path / 'optuna.db'}")
    distributions = {
        "width": optuna.distributions.IntDistribution(16, 64, log=True),
        "bias": optuna.distributions.CategoricalDistribution((False, True)),
        "bits": optuna.distributions.CategoricalDistribution((0, 1)),
    }
    given: list[dict[str, Any]] = [
        {"state": TrialState.COMPLETE, "values": [0.5, math.inf], "constraints": {"size": -1.0}},
        {"state": TrialState.FAIL, "user_attrs": {"error": "ValueError: no", "condition": {"noise": 1.0}}},
        {"state": TrialState.PRUNED, "intermediate_values": {1: 0.25, 2: math.nan}},
        {"state": TrialState.RUNNING},
    ]
    params = {"width": 32, "bias": True, "bits": 1}
    templates = [create_trial(params=params, distributions=distributions, **one) for one in given]
    directions = [optuna.study.StudyDirection.MAXIMIZE] * 2
    slow, quick = (storage.create_new_study(directions, name) for name in ("slow", "quick"))
    for template in templates:
        storage.create_new_trial(slow, template)
    assert optuna_bulk.create(storage.engine, quick, 0, templates[:1]) == [5]
    optuna_bulk.create(storage.engine, quick, 1, templates[1:])
    with storage.engine.connect() as connection:
        for name in ("trial_params", "trial_values", "trial_user_attributes", "trial_system_attributes"):
            both = [rows_of(connection, name, study) for study in (slow, quick)]
            assert both[0] == both[1]
    for one, other in zip(storage.get_all_trials(slow), storage.get_all_trials(quick), strict=True):
        one._trial_id = other._trial_id = 0
        assert str(one) == str(other)
    storage.engine.dispose()


def test_another_version_of_optuna_is_told_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = told(tmp_path)
    monkeypatch.setattr(tested_versions, "TESTED", dict.fromkeys(tested_versions.TESTED, ("0.1",)))
    tested_versions.is_tested.cache_clear()
    monkeypatch.setattr(optuna_bulk, "create", None)
    project(ledger)
    tested_versions.is_tested.cache_clear()
    study = optuna.load_study(study_name=ledger.name, storage=ledger.url)
    assert [trial.number for trial in study.trials] == [row.number for row in ledger.trials()]


def rows_of(connection: Any, table: str, study: int) -> list[tuple[Any, ...]]:
    """Without ids."""
    query = f"SELECT number, {table}.* FROM {table} JOIN trials USING (trial_id) WHERE study_id = {study}"
    found = connection.execute(text(query)).mappings().all()
    return sorted(tuple(str(value) for key, value in row.items() if not key.endswith("_id")) for row in found)
