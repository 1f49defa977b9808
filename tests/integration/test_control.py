"""What people ask of a study while it runs and when they resume it: pause, stop, add, interrupt, try again."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

import study
from study.cli import main
from study.execution.driver import run
from study.ledger import TrialRow
from study.proposing import Proposer
from tests.in_process import in_process_and_told, no_ray
from tests.integration import trials_for_tests
from tests.integration.driving import (
    Lines,
    config,
    drive,
    family,
    lives,
    on_ray_too,
    optuna_trials,
    read_until,
    rows,
    runs,
    store,
    survivors,
)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]
NAME = "study"
PLAN = 20


@on_ray_too
def test_added_while_it_runs_then_paused_then_completed(
    ray: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("- {model.width: 48, data.label_noise: 1}\n- model: {width: 56}\n")
    driver = drive(tmp_path, NAME, "nap", PLAN, ray=ray)
    read_until(driver, "end")
    assert main(["add", NAME, str(own), "--home", str(tmp_path)]) == 0
    assert f"process {driver.pid}" in capsys.readouterr().out
    added = [row.number for row in waited_for(tmp_path, 2)]
    read_until(driver, f"start {added[1]}")
    assert main(["stop", NAME, "--drain", "--home", str(tmp_path)]) == 0
    said = driver.communicate(timeout=120)[0].splitlines()
    assert driver.returncode == 130, said
    assert any(line.startswith("message pausing") for line in said)
    assert said[-1] == "finished 130 paused"
    found = rows(tmp_path, NAME)
    assert {row.state for row in found} == {"COMPLETE", "QUEUED"}, "what ran has ended, what did not run waits"
    assert all(row.attempts == (row.state == "COMPLETE") for row in found)
    assert [found[number].state for number in added] == ["COMPLETE"] * 2, "they came before the rest of the plan"

    with no_ray():
        assert study.resume(NAME, home=tmp_path, trial=trials_for_tests.quick).config.trials == PLAN + 2
    found = rows(tmp_path, NAME)
    assert [row.state for row in found] == ["COMPLETE"] * (PLAN + 2)
    explored = [row for row in found if row.role == "explore"]
    assert [row.number for row in explored] == added
    assert [(row.params["model.width"], row.params["data.label_noise"]) for row in explored] == [(48, 1.0), (56, 0.0)]
    assert len(runs(store(tmp_path), NAME)) == len(optuna_trials(tmp_path, NAME)) == PLAN + 2

    undisturbed = Proposer(config(tmp_path, NAME, PLAN))
    planned = [row.proposed for row in found if row.role == "design"]
    assert planned == [undisturbed.propose(number).params for number in range(PLAN)], "the plan has no gap"


def waited_for(home: Path, many: int) -> list[TrialRow]:
    """Explore trials, as soon as there are so many."""
    while len(found := [row for row in rows(home, NAME) if row.role == "explore"]) < many:
        time.sleep(0.1)
    return found


def test_failed_trials_and_only_these_run_again(tmp_path: Path) -> None:
    first = run(config(tmp_path, NAME, 4), trial=trials_for_tests.fails_once, doors=in_process_and_told())
    assert (first.exit_code, first.counts["FAILED"]) == (3, 2)
    before, told = rows(tmp_path, NAME), runs(store(tmp_path), NAME)
    assert told[1].data.tags["ockham.error"].startswith("MemoryError")
    lines = Lines()
    with no_ray():
        handle = study.resume(
            NAME, home=tmp_path, trial=trials_for_tests.fails_once, retry_failed=True, listener=lines, max_concurrent=1
        )
    assert handle.outcome is not None
    assert handle.outcome.exit_code == 0
    assert "message failed trials that run again: 1, 2" in lines.lines
    after = rows(tmp_path, NAME)
    assert [(row.state, row.attempts, row.error) for row in after] == [
        ("COMPLETE", 1, None),
        ("COMPLETE", 2, None),
        ("COMPLETE", 2, None),
        ("COMPLETE", 1, None),
    ]
    assert [after[0], after[3]] == [before[0], before[3]], "what had ended well was not touched"
    again = runs(store(tmp_path), NAME)
    assert [found.info.run_id for found in again] == [found.info.run_id for found in told]
    assert {found.info.status for found in again} == {"FINISHED"}
    assert {found.data.tags["ockham.state"] for found in again} == {"COMPLETE"}
    assert not [found for found in again if "ockham.error" in found.data.tags]
    assert [trial.state.name for trial in optuna_trials(tmp_path, NAME)] == ["COMPLETE"] * 4
    assert "error" not in optuna_trials(tmp_path, NAME)[1].user_attrs


@pytest.mark.ends
def test_terminated_then_stopped_from_elsewhere_then_interrupted_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Meanwhile it says what it does to who asks."""

    def said(*command: str) -> str:
        assert main([*command, "--home", str(tmp_path)]) == 0
        return capsys.readouterr().out

    driver = drive(tmp_path, NAME, "long_nap", 4)
    while not _named(driver, "raylet") and driver.poll() is None:
        time.sleep(0.01)
    starting = said("status", NAME)
    assert "· starting" in starting
    assert "estimating" not in starting
    read_until(driver, "start", times=2)
    status = json.loads(said("status", NAME, "--json"))
    assert (status["phase"], len(status["running"]), status["remaining_s"]) == ("running", 2, None)
    driver.send_signal(signal.SIGTERM)
    driver.communicate(timeout=60)
    assert driver.returncode == 130
    assert json.loads(said("status", NAME, "--json"))["phase"] == "stopped"

    driver = drive(tmp_path, NAME, "long_nap", 4)
    read_until(driver, "start", times=2)
    children = family(driver)
    said("stop", NAME)
    last = driver.communicate(timeout=60)[0].splitlines()[-1]
    assert (driver.returncode, last) == (130, "finished 130 stop requested")
    assert survivors(children, within_s=2) == []

    driver = drive(tmp_path, NAME, "long_nap", 4)
    read_until(driver, "start", times=2)
    children = family(driver)
    for _ in range(2):
        os.killpg(driver.pid, signal.SIGINT)
        time.sleep(0.3)
    lines = driver.communicate(timeout=60)[0].splitlines()
    assert driver.returncode == 130, lines
    assert survivors(children, within_s=5) == []
    assert not list(tmp_path.glob(".ray/*"))

    limited = config(tmp_path, NAME, 4, time_budget=1.0)
    short = run(limited, trial=trials_for_tests.long_nap, doors=in_process_and_told())
    assert (short.exit_code, short.reason) == (130, "time budget spent")
    whole = run(config(tmp_path, NAME, 4), trial=trials_for_tests.quick, doors=in_process_and_told())
    assert whole.exit_code == 0
    found = rows(tmp_path, NAME)
    assert [row.charged for row in found] == [0] * 4, "nobody's fault"
    leftovers = {path.name for path in tmp_path.iterdir()}
    assert leftovers <= {NAME, "mlartifacts", "mlflow.db", ".mlflow.lock", "data"}, "no files of SQLite's or Ray's"


@pytest.mark.ends
def test_interrupted_while_ray_starts(tmp_path: Path) -> None:
    driver = drive(tmp_path, NAME, "quick", 2)
    while not (children := _named(driver, "gcs_server")) and driver.poll() is None:
        time.sleep(0.01)
    driver.send_signal(signal.SIGINT)
    said = driver.communicate(timeout=60)[0].splitlines()
    assert (driver.returncode, said[-1]) == (130, "finished 130 interrupted by SIGINT")
    assert not [process for process in children if lives(process)]
    assert not list(tmp_path.glob(".ray/*"))
    assert {row.attempts for row in rows(tmp_path, NAME)} <= {0}


def _named(driver: "subprocess.Popen[str]", name: str) -> list[psutil.Process]:
    try:
        return [process for process in family(driver) if process.name() == name]
    except psutil.NoSuchProcess:
        return []
