"""status, trials, stop, delete, spaces on real ledgers."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from study.cli import main
from study.commands.options import complete_space
from study.execution.on_ray import trial_log
from study.ledger import Ledger
from study.ledger.frames import as_parquet, network_frame, trial_frame
from study.ledger.place import Place
from tests.unit.cli_ledgers import ledger
from trainables.record import Record

pytestmark = pytest.mark.slow

TRIAL_FIELDS = {
    "number", "state", "role", "params", "metrics", "notes", "attempts", "uid", "mlflow_run_id", "fingerprint",
    "cell", "duration_s", "error",
}  # fmt: skip


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Ledger]:
    """Held by this process."""
    made = ledger(tmp_path)
    yield made
    made.close()


def test_status_json(study: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "small", "--json", "--home", str(tmp_path)]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["phase"] == "running"
    assert status["counts"] == {"QUEUED": 1, "RUNNING": 1, "COMPLETE": 1, "PRUNED": 0, "FAILED": 1}
    (running,) = status["running"]
    assert (running["number"], running["stage"], running["step"], running["of"]) == (2, "level", 3, 6)
    assert running["params"] == {"model.width": 32, "data.label_noise": 0.5}
    assert running["metrics"]["level/train_accuracy"] == 0.81
    (failed,) = status["failed"]
    assert failed["error"] == "TrialDiverged: the loss is nan"
    assert failed["log"][-1] == "line 19"
    assert status["remaining_s"] is not None


def test_status_for_people(study: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "small", "--home", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for part in ("2/4 · 1 running · 1 failed", "level 3/6", "Trial 1 failed: TrialDiverged", "line 19", "Run by"):
        assert part in said
    assert "line 3\n" not in said
    study.release()
    assert main(["status", "--home", str(tmp_path)]) == 0
    assert "interrupted" in capsys.readouterr().out
    assert main(["status", "small", "--home", str(tmp_path)]) == 0
    assert "What failed runs once more with: ockham resume small" in (said := capsys.readouterr().out)
    assert "--retry-failed" in said


def test_status_of_an_empty_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--home", str(tmp_path / "none")]) == 0
    assert "ockham launch" in capsys.readouterr().out
    assert main(["status", "--json", "--home", str(tmp_path / "none")]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert not (tmp_path / "none").exists()


def test_trials_json_is_the_contract(study: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trials", "small", "--format", "json", "--home", str(tmp_path)]) == 0
    trials = json.loads(capsys.readouterr().out)
    assert [trial["number"] for trial in trials] == [0, 1, 2, 3]
    assert [trial["state"] for trial in trials] == ["COMPLETE", "FAILED", "RUNNING", "QUEUED"]
    assert all(set(trial) == TRIAL_FIELDS for trial in trials)
    assert trials[0]["metrics"]["contrast/auc"] == 0.21
    assert trials[0]["params"]["model.width"] == 16
    assert trials[0]["params"]["training.epochs"] == 400


def test_trials_in_every_format(study: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(tmp_path)]
    out = tmp_path / "out"
    assert main(["trials", "small", "--format", "csv", "--out", str(out / "t.csv"), *home]) == 0
    assert main(["trials", "small", "--format", "parquet", "--out", str(out / "t.parquet"), *home]) == 0
    csv, parquet = pd.read_csv(out / "t.csv"), pd.read_parquet(out / "t.parquet")
    assert list(csv["model.width"]) == list(parquet["model.width"]) == [16, 16, 32, 32]
    assert list(csv.columns) == list(parquet.columns)
    assert main(["trials", "small", *home]) == 0
    assert "0.21 ±0.04" in capsys.readouterr().out
    assert main(["trials", "small", "--format", "csv", "--out", str(out / "t.csv" / "no"), *home]) == 2


def test_frames(study: Ledger, tmp_path: Path) -> None:
    rows = study.trials()
    frame = trial_frame(rows)
    assert list(frame.columns[:3]) == ["number", "state", "role"]
    assert frame["contrast/auc"].dtype == "float64"
    assert frame["contrast/auc"].isna().sum() == 3
    assert trial_frame([]).empty
    assert len(pd.read_parquet(io.BytesIO(as_parquet(rows)))) == 4
    folder = tmp_path / "small" / "trials" / "0000"
    folder.mkdir(parents=True)
    pd.DataFrame({"network": [0, 1], "level": [0, 0], "ratio": [1.0, 1.0]}).to_parquet(folder / "networks.parquet")
    networks = network_frame(tmp_path / "small", rows)
    assert list(networks["trial"]) == [0, 0]
    assert list(networks["model.width"]) == [16, 16]
    assert list(networks["network"]) == [0, 1]
    assert network_frame(tmp_path / "nowhere", rows).empty


def test_networks_of_unlike_trials_are_one_frame(tmp_path: Path) -> None:
    files = [
        {"network": [0, 1], "ratio": [1, 2], "loss": [None, None], "reason": ["diverged", None]},
        {"network": [0], "ratio": [2.5], "loss": [0.5], "more": [True], "model.width": [1]},
        {"network": [], "ratio": []},
    ]
    rows = []
    for number, content in enumerate(files):
        folder = tmp_path / "trials" / f"{number:04d}"
        folder.mkdir(parents=True)
        pd.DataFrame(content).to_parquet(folder / "networks.parquet")
        rows.append(
            SimpleNamespace(
                number=number, cell=f"cell {number}", params={"model.width": 16 * number, "data.split": [1, 2]}
            )
        )
    rows.append(SimpleNamespace(number=3, cell=None, params={"training.lr": 0.1}))
    found = network_frame(tmp_path, rows)  # type: ignore[arg-type]
    own, stored = ["trial", "cell", "model.width", "data.split"], ["network", "ratio", "loss", "reason", "more"]
    assert list(found.columns) == own + stored
    assert list(found["trial"]) == [0, 0, 1]
    assert list(found["model.width"]) == [0, 0, 16], "the trial's own, whatever else has that name"
    assert list(found["data.split"]) == ["1+2"] * 3
    assert list(found["ratio"]) == [1.0, 2.0, 2.5]
    assert found["loss"].isna().tolist() == [True, True, False]
    assert found["reason"].isna().tolist() == [False, True, True]
    assert list(found.index) == [0, 1, 2]


def test_stop_asks_a_living_driver_only(study: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stop", "small", "--home", str(tmp_path)]) == 0
    assert study.stop_requested()
    study.release()
    study.acquire()  # which forgets the request
    study.release()
    assert main(["stop", "small", "--home", str(tmp_path)]) == 0
    assert not study.stop_requested()
    assert "Nobody runs small" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
def test_delete_takes_one_study_and_its_experiment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from mlflow.tracking import MlflowClient

    for name in ("small", "other"):
        made = ledger(tmp_path, name)
        made.release()
        made.close()
    client = MlflowClient(tracking_uri=Place(home=tmp_path).store_uri())
    old = client.create_experiment("small")
    client.create_experiment("other")
    assert main(["delete", "small", "--yes", "--home", str(tmp_path)]) == 0
    assert not (tmp_path / "small").exists()
    assert Place(home=tmp_path).studies() == ["other"]
    assert client.get_experiment(old).lifecycle_stage == "deleted"
    assert client.get_experiment_by_name("small") is None
    assert client.get_experiment_by_name("other").lifecycle_stage == "active"
    assert main(["delete", "small", "--yes", "--home", str(tmp_path)]) == 2


def test_delete_from_a_shared_ledger(tmp_path: Path) -> None:
    import optuna

    from tests.unit.cli_ledgers import config

    url = f"sqlite:///{tmp_path / 'shared.db'}"
    for name in ("small", "other"):
        Ledger.create(url, config(tmp_path, name)).close()
        optuna.create_study(study_name=name, storage=url)
    arguments = ["delete", "small", "--yes", "--home", str(tmp_path), "--ledger", url]
    assert main(arguments) == 0
    assert optuna.get_all_study_names(url) == ["other"]
    assert Ledger.open(url, "other").config.name == "other"
    assert main(arguments) == 2


def test_delete_asks(study: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study.release()
    for answer, code in (("n\n", 0), ("", 2)):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert main(["delete", "small", "--home", str(tmp_path)]) == code
    assert (tmp_path / "small" / "study.db").is_file()


def test_spaces(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spaces"]) == 0
    said = capsys.readouterr().out
    assert "redundancy" in said
    assert "magnitude_l2" in said
    assert main(["spaces", "redundancy"]) == 0
    assert "64,96,160,256" in capsys.readouterr().out
    assert main(["spaces", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["studies"]["redundancy"]["span"]["compression.depth"]["values"] == [6, 12]
    assert "digits" in listed["entries"]["data.name"]


def test_completion_knows_studies_and_spaces(study: Ledger, tmp_path: Path) -> None:
    assert complete_space("red") == ["redundancy"]
    assert Place(home=tmp_path).studies() == ["small"]


@pytest.mark.parametrize(("name", "start"), [("t.csv", b"number,state"), ("t.json", b"[\n"), ("t.parquet", b"PAR1")])
def test_the_ending_of_the_file_is_its_format(name: str, start: bytes, tmp_path: Path) -> None:
    ledger(tmp_path)
    out = tmp_path / name
    assert main(["trials", "small", "--out", str(out), "--home", str(tmp_path)]) == 0
    assert out.read_bytes().startswith(start)


@pytest.mark.parametrize("command", ["trials", "measures", "examples", "fields"])
def test_an_ending_that_is_no_format_is_refused(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger(tmp_path)
    out = tmp_path / "t.xlsx"
    assert main([command, "small", "--out", str(out), "--home", str(tmp_path)]) == 2
    assert ".xlsx names no format" in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


@pytest.mark.parametrize("port", ["0", "99999", "-1"])
def test_a_port_is_a_number_that_ports_have(port: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ui", "--port", port, "--home", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "--port" in said
    assert "than or equal to" in said


def test_a_log_says_stage_numbers_and_reasons() -> None:
    record = Record("level", 3, {"level/ratio": 2.5, "level/val_accuracy": 0.5}, {"undefined/x": "no network fitted"})
    said = trial_log.line(record, 0.0)
    assert said.endswith("level 3: level/ratio=2.5 level/val_accuracy=0.5 [undefined/x: no network fitted]")
