"""MLflow is down for a whole study, and gets everything when it is back."""

from pathlib import Path

import pytest

from study.execution.driver import run
from study.tracking import publishing
from tests.in_process import in_process_and_told
from tests.integration import trials_for_tests
from tests.integration.driving import Lines, config, rows, runs
from tests.torture.tracking import Server, free_port

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]


def test_down_for_the_whole_run_then_drained_by_a_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "STALLED_WHILE_DOWN_S", 3.0)
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    wanted = config(tmp_path / "home", "dark", 4, tracking_uri=uri, offline=True)
    lines = Lines()
    outcome = run(wanted, trial=trials_for_tests.quick, listener=lines, doors=in_process_and_told())
    assert (outcome.exit_code, outcome.drained, outcome.ended_count) == (130, False, 4)
    assert any("MLflow does not answer" in line for line in lines.lines)
    assert any("ockham resume dark" in line for line in lines.lines)
    assert [row.state for row in rows(tmp_path / "home", "dark")] == ["COMPLETE"] * 4

    server = Server(tmp_path / "server", port)
    try:
        again = run(wanted, trial=trials_for_tests.quick, doors=in_process_and_told())
        assert again.exit_code == 0
        found = runs(uri, "dark")
        once_more = run(wanted, trial=trials_for_tests.quick, doors=in_process_and_told())
        assert once_more.exit_code == 0, "a study that has ended stays ended"
        assert len(runs(uri, "dark")) == 4
    finally:
        server.kill()
    trials = rows(tmp_path / "home", "dark")
    assert [run.info.run_id for run in found] == [row.mlflow_run_id for row in trials]
    assert [run.data.metrics for run in found] == [row.metrics for row in trials]
    assert [row.attempts for row in trials] == [1] * 4
