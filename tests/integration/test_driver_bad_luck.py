"""One study in which things go wrong, looked at from all sides, then extended."""

import json
from pathlib import Path

import psutil
import pytest
import yaml

from study.config import StudyConfig
from study.events import Outcome
from study.execution.driver import run
from study.ledger import TrialRow
from tests.in_process import no_ray
from tests.integration import trials_for_tests
from tests.integration.driving import Lines, config, lasting, optuna_trials, rows, runs, store

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]
NAME = "luck"
Ran = tuple[Outcome, Lines, list[TrialRow]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ran(home: Path) -> Ran:
    lines = Lines()
    outcome = run(config(home, NAME, 6), trial=trials_for_tests.some_fail, listener=lines)
    return outcome, lines, rows(home, NAME)


def test_every_trial_ends_and_the_exit_code_tells_of_the_failed(ran: Ran) -> None:
    outcome, _, trials = ran
    assert [row.state for row in trials] == ["COMPLETE", "FAILED", "FAILED", "COMPLETE", "COMPLETE", "COMPLETE"]
    assert (outcome.exit_code, outcome.ended_count, outcome.reason, outcome.drained) == (3, 6, "", True)


def test_an_exception_fails_its_trial_at_once_with_reason_and_traceback(ran: Ran, home: Path) -> None:
    row = ran[2][1]
    assert (row.error, row.attempts, row.charged) == ("ValueError: loss is nan at epoch 3", 1, 0)
    assert row.traceback is not None
    assert "in some_fail" in row.traceback
    assert row.metrics["train/accuracy"] > 0.99, "what it had reported is kept"
    log = (home / NAME / "trials" / "0001" / "log.txt").read_text()
    assert "about to fail" in log
    assert "ValueError: loss is nan at epoch 3" in log


def test_a_worker_may_die_twice(ran: Ran) -> None:
    never, once = ran[2][2], ran[2][3]
    assert (never.attempts, never.state) == (3, "FAILED")
    assert never.error is not None
    assert never.error.startswith("worker died 3 times")
    assert (once.attempts, once.charged, once.state) == (2, 1, "COMPLETE")


def test_a_gpu_that_fails_costs_an_attempt_not_the_trial(ran: Ran, home: Path) -> None:
    _, lines, trials = ran
    assert (trials[4].attempts, trials[4].charged, trials[4].state) == (2, 1, "COMPLETE")
    assert len(list((home / NAME / "trials" / "0004").glob("failed-in-*"))) == 2, "on a new process"
    assert any("its GPU failed" in text and "ECC" in text for text in lines.lines)


def test_another_device_than_before_is_told_once(ran: Ran) -> None:
    said = [text for text in ran[1].lines if "bit for bit" in text]
    assert len(said) == 1
    assert "trial 5 was computed on an H100, earlier ones on an A100" in said[0]


def test_mlflow_has_one_run_a_trial(ran: Ran, home: Path) -> None:
    found = runs(store(home), NAME)
    assert [run.data.tags["ockham.uid"] for run in found] == [row.uid for row in ran[2]]
    assert [run.info.run_id for run in found] == [row.mlflow_run_id for row in ran[2]]
    assert [run.info.status for run in found] == ["FINISHED", "FAILED", "FAILED", "FINISHED", "FINISHED", "FINISHED"]
    whole = found[0]
    assert float(whole.data.params["model.width"]) == ran[2][0].params["model.width"]
    assert whole.data.params["data.noise_kind"] == "uniform"
    assert whole.data.metrics["compressibility/auc"] == ran[2][0].metrics["compressibility/auc"]
    assert whole.data.tags["train/stop_reason"] == "train_loss x5"
    assert {"ockham.study", "ockham.role", "ockham.state"} <= whole.data.tags.keys()
    name = whole.info.run_name
    assert name.startswith("0000 width=")
    assert " noise=" in name


def test_levels_are_stepwise(ran: Ran, home: Path) -> None:
    from mlflow.tracking import MlflowClient

    run_id = ran[2][0].mlflow_run_id
    assert run_id is not None
    history = MlflowClient(store(home)).get_metric_history(run_id, "level/ratio")
    assert sorted((point.step, point.value) for point in history) == [(0, 1.0), (1, 2.0), (2, 4.0), (3, 8.0)]


def test_optuna_has_one_finished_record_a_trial(ran: Ran, home: Path) -> None:
    found = optuna_trials(home, NAME)
    assert [trial.number for trial in found] == list(range(6))
    assert all(trial.state.is_finished() for trial in found)


def test_what_is_left_on_disk(ran: Ran, home: Path) -> None:
    import pyarrow.parquet

    folder = home / NAME
    assert StudyConfig.model_validate(yaml.safe_load((folder / "study.yaml").read_text())).trials == 6
    table = pyarrow.parquet.read_table(folder / "trials" / "0000" / "networks.parquet")
    assert table.num_rows == 16
    assert not list(folder.glob("trials/*/checkpoints"))
    assert not list(home.glob(".ray/*"))


def test_nothing_is_left_running(ran: Ran) -> None:
    names = " ".join(p.name() for p in psutil.Process().children(recursive=True))
    assert "ray" not in names
    assert "gcs_server" not in names


def test_extending_repeats_nothing(ran: Ran, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import study

    before = ran[2]
    with no_ray():
        handle = study.resume(NAME, trials="+2", home=home, trial=trials_for_tests.quick)
    assert handle.outcome is not None
    assert handle.outcome.trials == 8
    after = rows(home, NAME)
    assert [lasting(row) for row in after[:6]] == [lasting(row) for row in before]
    assert [row.attempts for row in after[:6]] == [row.attempts for row in before]
    assert [row.state for row in after[6:]] == ["COMPLETE", "COMPLETE"]
    assert len(runs(store(home), NAME)) == len(optuna_trials(home, NAME)) == 8
    frame = handle.trials()
    assert list(frame["number"]) == list(range(8))
    assert json.dumps(handle.best())
    spoken = capfd.readouterr()
    assert (spoken.out, spoken.err) == ("", ""), "a silent listener means silence"
