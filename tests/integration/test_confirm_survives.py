"""`ockham confirm` on real networks: its driver is killed on the way and the study goes on, nothing run twice."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from study.cli import main
from tests.in_process import no_ray
from tests.integration.test_cli_launch import ockham

pytestmark = [pytest.mark.slow, pytest.mark.ends]

SEARCH = [
    *("--name", "search", "--sampler", "random", "--objective", "val/loss:min", "--trials", "2"),
    *("--set", "model.width=16..32", "--set", "data.label_noise=0.5", "--set", "data.split=100+50+50"),
    *("--set", "compression.depth=2", "--set", "compression.target_ratio=4", "--set", "training.epochs=60"),
    *("--set", "replicates=3", "--no-progress"),
]


def test_killed_and_resumed_it_runs_each_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def trials() -> list[dict[str, Any]]:
        capsys.readouterr()
        assert main(["trials", "search", "--format", "json", "--home", str(tmp_path)]) == 0
        read: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return read

    with no_ray():
        assert main(["launch", *SEARCH, "--scheduler", "asha", "--home", str(tmp_path)]) == 0
    before = trials()
    command = ["confirm", "search", "0", "1", "--times", "2"]
    driver = subprocess.Popen(
        [sys.executable, "-m", "tests.in_process", *command, "--home", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert driver.stdout is not None
    for line in driver.stdout:
        if "trial 3 starts" in line:
            break
    driver.kill()  # SIGKILL: it can write nothing any more
    driver.communicate()
    resumed = ockham(tmp_path, *command, "--no-progress", program="tests.in_process")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert "All of that is in search already." in resumed.stdout
    after = trials()
    assert after[:2] == before
    assert [(trial["role"], trial["state"]) for trial in after[2:]] == [("design", "COMPLETE")] * 4
    assert [trial["fingerprint"] for trial in after[2:]] == [trial["fingerprint"] for trial in before] * 2
    values = [trial["metrics"]["val/loss"] for trial in after]
    assert len(set(values)) == 6, "each has seeds of its own"
    assert main(["verdicts", "search", "--home", str(tmp_path)]) == 0
    assert "they alone count" in capsys.readouterr().out
