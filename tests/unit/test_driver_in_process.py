"""The driver's logic behind a second set of doors: no Ray, no server, no waiting, the same order every time."""

import subprocess
import sys
from pathlib import Path

import pytest

from study.config import StudyConfig
from study.events import Outcome
from study.execution.driver import run
from study.execution.executor import Cause
from study.ledger import Ledger, TrialRow
from tests.in_process import Listing, in_process
from tests.integration.driving import Lines, lasting
from tests.studies_for_tests import a_study

pytestmark = pytest.mark.slow

QUICK = "tests.integration.trials_for_tests:quick"
FAILING = "tests.integration.trials_for_tests:some_fail"
LEARNING = "tests.integration.trials_for_tests:learning"
CODE = """
import sys
from pathlib import Path
from study.execution.driver import run
from tests.in_process import in_process
from tests.studies_for_tests import a_study
print(run(a_study(Path(sys.argv[1])), trial=sys.argv[2], doors=in_process()).exit_code)
print(sorted({"ray", "torch"} & set(sys.modules)))
"""


def rows(config: StudyConfig) -> list[TrialRow]:
    ledger = Ledger.open(config.ledger_url, config.name)
    try:
        return ledger.trials()
    finally:
        ledger.close()


def test_a_study_runs_to_its_end_without_ray(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", CODE, str(tmp_path), QUICK]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[0] == "0", ended.stderr
    assert "ray" not in ended.stdout.splitlines()[1]


def test_every_trial_ends_once_whatever_the_number_of_slots(tmp_path: Path) -> None:
    found = []
    for slots in (1, 4):
        config, tracker, lines = a_study(tmp_path / str(slots)), Listing(), Lines()
        outcome = run(config, trial=QUICK, listener=lines, doors=in_process(slots=slots, tracker=tracker))
        assert (outcome.exit_code, outcome.reason, tracker.status, tracker.closed) == (0, "", "FINISHED", True)
        assert tracker.summary["ockham/complete"] == 6
        assert [row.attempts for row in rows(config)] == [1] * 6
        started = [line for line in lines.lines if line.startswith("start")]
        assert started == [f"start {number}" for number in range(6)]
        found.append([(row.params, lasting(row)) for row in rows(config)])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("cause", "attempts", "charged", "state"),
    [("worker", 3, 2, "FAILED"), ("device", 3, 2, "FAILED"), ("machine", 5, 0, "COMPLETE"), ("trial", 1, 0, "FAILED")],
)
def test_what_a_death_costs_depends_on_its_cause(
    cause: Cause, attempts: int, charged: int, state: str, tmp_path: Path
) -> None:
    config, lines = a_study(tmp_path, trials=3), Lines()
    run(config, trial=QUICK, listener=lines, doors=in_process({(1, n): cause for n in range(1, 5)}))
    found = rows(config)
    assert [row.state for row in found] == ["COMPLETE", state, "COMPLETE"]
    assert (found[1].attempts, found[1].charged) == (attempts, charged)
    said = [line for line in lines.lines if line.startswith("message trial 0001")]
    assert len(said) == attempts - 1
    words = {"worker": "worker died", "device": "its GPU failed (it was written)", "machine": "its node is gone"}
    assert all(words[cause] in line for line in said)
    if cause == "worker":
        assert found[1].error == "worker died 3 times (out of memory, or a crash in native code); see log.txt"


def test_a_trial_that_raises_fails_alone(tmp_path: Path) -> None:
    config = a_study(tmp_path, trials=2)
    outcome = run(config, trial=FAILING, doors=in_process())
    assert (outcome.exit_code, outcome.counts["FAILED"], outcome.counts["COMPLETE"]) == (3, 1, 1)
    assert rows(config)[1].error == "ValueError: loss is nan at epoch 3"


def test_a_time_budget_is_heard_at_its_second_and_nothing_is_run_twice(tmp_path: Path) -> None:
    whole, config = a_study(tmp_path / "whole"), a_study(tmp_path / "parts", run={"time_budget": 25.5})
    run(whole, trial=QUICK, doors=in_process())
    tracker = Listing()
    outcome = run(config, trial=QUICK, doors=in_process(tracker=tracker))
    assert (outcome.exit_code, outcome.reason, tracker.status) == (130, "time budget spent", "KILLED")
    assert 25.5 <= outcome.seconds < 26.5, "of the simulated clock"
    ended = {row.number for row in rows(config) if row.state == "COMPLETE"}
    assert 0 < len(ended) < 6
    resumed = run(a_study(tmp_path / "parts"), trial=QUICK, doors=in_process())
    assert resumed.exit_code == 0
    assert all(row.attempts == 1 for row in rows(config) if row.number in ended)
    assert [lasting(row) for row in rows(config)] == [lasting(row) for row in rows(whole)]


def test_an_executor_that_dies_stops_the_study_which_goes_on_later(tmp_path: Path) -> None:
    config = a_study(tmp_path)
    outcome = run(config, trial=QUICK, doors=in_process(dies_at=6))
    assert (outcome.exit_code, outcome.reason) == (130, "the process died")
    assert {row.state for row in rows(config)} <= {"COMPLETE", "QUEUED"}
    assert run(config, trial=QUICK, doors=in_process()).exit_code == 0


@pytest.mark.parametrize(("drain", "reason"), [(False, "stop requested"), (True, "paused")])
def test_a_request_to_stop_is_heard(drain: bool, reason: str, tmp_path: Path) -> None:
    config = a_study(tmp_path)

    class Stopping(Lines):
        """Asks from elsewhere, when the second trial begins."""

        def on_trial_start(self, number: int, params: object) -> None:
            if number == 1:
                ledger = Ledger.open(config.ledger_url, config.name)
                ledger.request_stop(drain=drain)
                ledger.close()

    outcome = run(config, trial=QUICK, listener=Stopping(), doors=in_process())
    assert (outcome.exit_code, outcome.reason) == (130, reason)
    states = [row.state for row in rows(config)]
    assert states.count("COMPLETE") == (2 if drain else 0)
    assert states.count("RUNNING") == 0


def test_what_was_not_delivered_is_said(tmp_path: Path) -> None:
    lines = Lines()
    outcome: Outcome = run(
        a_study(tmp_path, trials=2), trial=QUICK, listener=lines, doors=in_process(tracker=Listing(drains=False))
    )
    assert (outcome.drained, outcome.exit_code) == (False, 130)
    assert any("tracking is not complete yet" in line for line in lines.lines)


def test_a_scheduler_stops_what_is_not_worth_training_on(tmp_path: Path) -> None:
    widths = (40, 90, 30, 95, 20, 70, 10, 60)
    space = {"base": {"training.epochs": 8, "data.label_noise": 1.0}, "span": {"model.width": {"values": widths}}}
    config = StudyConfig.model_validate(
        {
            "name": "stopped",
            "space": space,
            "configurations": [{"model.width": width} for width in widths],
            "trials": len(widths),
            "scheduler": "asha",
            "stopping": {"grace": 2, "reduction": 2},
            "run": {"home": tmp_path},
        }
    )
    outcome = run(config, trial=LEARNING, doors=in_process(slots=1))
    pruned = [row for row in rows(config) if row.state == "PRUNED"]
    assert (outcome.exit_code, len(pruned) + outcome.counts["COMPLETE"]) == (0, 8)
    assert pruned
    assert all("pruned/reason" in row.notes for row in pruned)
