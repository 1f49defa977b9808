"""The command itself, on real data, with Ray, a ledger and MLflow: launch, interrupt, resume, report, delete."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from study.cli import main
from tests.in_process import no_ray
from tests.integration.driving import on_ray_too

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]

SMALL = [
    *("--set", "model.width=16,24"),
    *("--set", "data.label_noise=0.5"),
    *("--set", "data.split=100+50+50"),
    *("--set", "compression.depth=3"),
    *("--set", "compression.target_ratio=4"),
    *("--set", "training.epochs=120"),
    *("--set", "replicates=3"),
]


def ockham(home: Path, *arguments: str, program: str = "study.cli") -> "subprocess.CompletedProcess[str]":
    """Runs a command to its end; with `tests.in_process` a study runs in the command's own process, not on Ray."""
    command = [sys.executable, "-m", program, *arguments, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_launch_status_resume_report_delete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"

    def said(*arguments: str) -> str:
        assert main([*arguments, "--home", str(home)]) == 0, capsys.readouterr()
        return capsys.readouterr().out

    launched = ockham(home, "launch", "--name", "small", "--trials", "2", *SMALL)
    assert launched.returncode == 0, launched.stdout + launched.stderr
    assert "[2/2] trial" in launched.stdout
    assert "ockham report small" in launched.stdout

    (status,) = json.loads(said("status", "--json"))
    assert (status["phase"], status["counts"]["COMPLETE"], status["outbox"]) == ("finished", 2, 0)

    with no_ray():
        assert "trial 2 starts" not in said("resume", "small", "--trials", "+1", "--no-progress")
    trials = json.loads(said("trials", "small", "--format", "json"))
    assert [trial["number"] for trial in trials] == [0, 1, 2]
    assert len({trial["mlflow_run_id"] for trial in trials}) == 3
    assert all("gap/accuracy" in trial["metrics"] for trial in trials)

    said("report", "small", "--out", str(tmp_path / "page"))
    assert (tmp_path / "page" / "index.html").is_file()

    said("delete", "small", "--yes")
    assert json.loads(said("status", "--json")) == []


@on_ray_too
def test_interrupt_says_how_to_go_on(ray: bool, tmp_path: Path) -> None:
    program = "study.cli" if ray else "tests.in_process"
    command = [sys.executable, "-m", program, "launch", "--name", "small", "--home", str(tmp_path), *SMALL]
    driver = subprocess.Popen(
        [*command, "--trials", "50"], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
    assert driver.stdout is not None
    for line in driver.stdout:
        if "starts" in line:
            break
    begun = time.monotonic()
    driver.send_signal(signal.SIGINT)
    rest, _ = driver.communicate(timeout=60)
    assert driver.returncode == 130
    assert f"ockham resume small --home {tmp_path}" in rest
    assert time.monotonic() - begun < 45
