"""asha and median stop trials of a real study; what they stopped is PRUNED for good, and kills change nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from optuna.trial import TrialState

from search_spaces.space import Choices, SearchSpace
from study import api
from study.config import RunConfig, StudyConfig
from study.execution.doors import REAL
from study.execution.driver import run
from study.execution.early_stopping import EarlyStopping, EpochReport, early_stopping_for
from study.ledger import Ledger
from study.stopping.schedulers.asha import Rungs
from study.stopping.schedulers.median import RunningMeans
from tests.in_process import in_process, in_process_and_told
from tests.integration import trials_for_tests
from tests.integration.driving import ROOT, Lines, lasting, optuna_trials, read_until, rows, runs, store
from trainables.record import Record

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]
NAME, EPOCHS = "stopped", 20
WIDTHS = (40, 90, 30, 95, 20, 70, 10, 60)
TRIALS = len(WIDTHS)


def a_scheduled_study(home: Path, scheduler: str, slots: int = 1) -> StudyConfig:
    """A trial of 20 epochs for each of WIDTHS."""
    return StudyConfig(
        name=NAME,
        space=SearchSpace(
            base={"training.epochs": EPOCHS, "data.label_noise": 1.0, "compression.depth": 3},
            span={"model.width": Choices(values=WIDTHS)},
        ),
        configurations=tuple({"model.width": width} for width in WIDTHS),
        trials=TRIALS,
        scheduler=scheduler,
        stopping={"grace": 2, "reduction": 2},
        run=RunConfig(home=home, max_concurrent=slots),
    )


def drive(home: Path, scheduler: str, *, ray: bool) -> subprocess.Popen[str]:
    """A driver of the study in a process of its own."""
    code = f"from tests.integration.test_schedulers import main; main({str(home)!r}, {scheduler!r}, ray={ray})"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


class Steps(Lines):
    """Also prints a line for each step."""

    def on_step(self, number: int, record: Record) -> None:
        self._say(f"step {number} {record.stage} {record.step}")


def main(home: str, scheduler: str, *, ray: bool) -> None:
    """Runs the study and prints what happens."""
    doors = REAL if ray else in_process_and_told(slots=1)
    run(a_scheduled_study(Path(home), scheduler), trial=trials_for_tests.learning, listener=Steps(), doors=doors)


def state_of(home: Path, scheduler: str) -> EarlyStopping:
    """The scheduler as a driver that starts now would have it."""
    config = a_scheduled_study(home, scheduler)
    ledger = Ledger.open(config.ledger_url, NAME)
    known = [EpochReport(*value) for value in ledger.dense_values("val/accuracy")]
    ledger.close()
    made = early_stopping_for(config, known)
    assert made is not None
    return made


def rungs(made: EarlyStopping) -> object:
    """What it compares with."""
    judge = made.judge
    assert isinstance(judge, Rungs | RunningMeans)
    return judge.values if isinstance(judge, Rungs) else judge.means


@pytest.mark.ends
@pytest.mark.parametrize("scheduler", ["asha", pytest.param("median", marks=pytest.mark.kills)])
def test_stopped_trials_are_pruned_and_a_killed_study_ends_like_an_undisturbed_one(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials_for_tests, "EPOCH_S", 0)  # here; in the drivers that are killed an epoch takes its time
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    outcome = run(a_scheduled_study(calm, scheduler), trial=trials_for_tests.learning, doors=in_process(slots=1))
    assert outcome.exit_code == 0, "PRUNED is an end like COMPLETE"
    expected = rows(calm, NAME)
    pruned = [row for row in expected if row.state == "PRUNED"]
    assert 2 <= len(pruned) <= 7
    assert {row.state for row in expected} == {"PRUNED", "COMPLETE"}
    assert max(row.params["model.width"] for row in pruned) < 95
    for row in pruned:
        epoch = int(row.notes["pruned/epoch"])
        assert 2 <= epoch < EPOCHS
        assert "val/accuracy" in row.notes["pruned/reason"]
        assert "compressibility/auc" not in row.metrics
        ledger = Ledger.open(a_scheduled_study(calm, scheduler).ledger_url, NAME)
        assert [(r.stage, r.step) for r in ledger.steps(row.number)] == [("dense", e) for e in range(1, epoch + 1)]
        ledger.close()

    # Trials that go on to their end, in the middle of it. Before the second of them one has been stopped: on Ray.
    for begun, ray in (("step 1 dense 8", False), ("step 3 dense 8", True)):
        driver = drive(killed, scheduler, ray=ray)
        read_until(driver, begun)
        os.kill(driver.pid, 9)
        driver.communicate()
    rest = in_process_and_told(slots=1)
    assert run(a_scheduled_study(killed, scheduler), trial=trials_for_tests.learning, doors=rest).exit_code == 0
    found = rows(killed, NAME)
    assert [(row.state, row.notes, lasting(row)) for row in found] == [
        (row.state, row.notes, lasting(row)) for row in expected
    ]
    assert [row.attempts for row in found[:4]] == [1, 2, 1, 2]
    for row in found:  # no trial that was stopped went on, none was run again
        worked = len((killed / "data" / f"work-{row.number}.txt").read_text().split())
        assert worked <= EPOCHS + 8 * (row.attempts - 1)
    assert rungs(state_of(killed, scheduler)) == rungs(state_of(calm, scheduler))

    tags = {int(r.data.tags["ockham.trial"]): r.data.tags for r in runs(store(killed), NAME)}
    for row, trial in zip(found, optuna_trials(killed, NAME), strict=True):
        assert tags[row.number]["ockham.state"] == row.state
        assert tags[row.number].get("pruned/epoch") == row.notes.get("pruned/epoch")
        assert trial.state == TrialState[row.state]
        if row.state == "PRUNED":
            assert max(trial.intermediate_values) == int(row.notes["pruned/epoch"])
    found = api.load(NAME, home=killed).verdicts()
    assert found.counted == 0, "a selected sample carries no verdict"


def test_with_two_slots_a_trial_that_learns_badly_is_stopped_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials_for_tests, "EPOCH_S", 0)
    outcome = run(a_scheduled_study(tmp_path, "asha"), trial=trials_for_tests.learning, doors=in_process(slots=2))
    assert outcome.exit_code == 0
    by_width = {row.params["model.width"]: row for row in rows(tmp_path, NAME)}
    assert by_width[10].notes["pruned/epoch"] == "2"
    assert by_width[95].state == "COMPLETE"
