"""MLflow is down for a whole study, and gets everything when it is back."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from study.execution.driver import run
from tests.in_process import in_process_and_told
from tests.integration import trials_for_tests
from tests.integration.driving import Lines, config, rows, runs

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]


def test_down_for_the_whole_run_then_drained_by_a_resume(tmp_path: Path) -> None:
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    wanted = config(tmp_path / "home", "dark", 4, tracking_uri=uri, offline=True)
    lines = Lines()
    outcome = run(wanted, trial=trials_for_tests.quick, listener=lines, doors=in_process_and_told())
    assert (outcome.exit_code, outcome.drained, outcome.ended_count) == (130, False, 4)
    assert any("MLflow does not answer" in line for line in lines.lines)
    assert any("ockham resume dark" in line for line in lines.lines)
    assert [row.state for row in rows(tmp_path / "home", "dark")] == ["COMPLETE"] * 4

    with mlflow_server(tmp_path, port):
        again = run(wanted, trial=trials_for_tests.quick)
        assert again.exit_code == 0
        found = runs(uri, "dark")
        assert run(wanted, trial=trials_for_tests.quick).exit_code == 0, "a study that has ended stays ended"
        assert len(runs(uri, "dark")) == 4
    trials = rows(tmp_path / "home", "dark")
    assert [run.info.run_id for run in found] == [row.mlflow_run_id for row in trials]
    assert [run.data.metrics for run in found] == [row.metrics for row in trials]
    assert [row.attempts for row in trials] == [1] * 4


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mlflow_server(folder: Path, port: int) -> Iterator[None]:
    """A real one."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder / 'server.db'}",
        "--artifacts-destination",
        str(folder / "a"),
    ]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        deadline = time.monotonic() + 120
        while not answers(port):
            assert process.poll() is None, (folder / "server.log").read_text()
            assert time.monotonic() < deadline, "the MLflow server did not start"
            time.sleep(0.3)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(port: int) -> bool:
    """Whether the server is up."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False
