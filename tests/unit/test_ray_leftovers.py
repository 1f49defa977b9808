"""What a killed driver's Ray left in the home, swept by the next one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from study.execution.on_ray import scratch
from study.execution.on_ray import session as ray_session


def test_two_that_sweep_at_once_do_not_hinder_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))

    def swept_by_another(_pid: int) -> bool:
        shutil.rmtree(tmp_path / "1", ignore_errors=True)
        return False

    monkeypatch.setattr(scratch.psutil, "pid_exists", swept_by_another)
    scratch.sweep(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_process_that_ends_while_it_is_looked_at_is_no_error() -> None:
    """Ray's start runs helpers that live for milliseconds."""
    with subprocess.Popen([sys.executable, "-c", ""]) as helper:
        process = psutil.Process(helper.pid)
        helper.wait()
    assert ray_session._name(process) == ""
    assert ray_session._children(process) == []
    assert not ray_session._lives(process)
