"""stop --drain, add, budgets: what is asked of a study, without running it."""

from pathlib import Path

import pytest

from study.cli import main
from study.errors import UsageError
from study.execution.asking import ProposerInPlace
from study.execution.backlog import Backlog
from study.ledger import Ledger
from study.ledger.place import Place
from study.proposing import Proposer
from study.settings.loading import load_existing
from study.settings.resume_request import ResumeRequest, budget, grant
from study.stop_flag import StopFlag
from tests.studies_for_tests import a_ledger
from tests.unit.cli_ledgers import ledger


def test_stop_may_let_running_trials_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = ledger(tmp_path)
    assert main(["stop", "small", "--drain", "--home", str(tmp_path)]) == 0
    assert study.stop_requested() == "drain"
    assert "when the trials that run now have ended" in " ".join(capsys.readouterr().out.split())
    assert main(["stop", "small", "--home", str(tmp_path)]) == 0
    assert study.stop_requested() == "now", "the later wish counts"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("- {model.widht: 3}", "Did you mean"),
        ("- {model.width: 16}\n- {model.width: -1}", "configuration 2"),
        ("model: {width: 3}", "must be a list of trials"),
        ("[]", "must be a list of trials"),
        ("{", "is no YAML file"),
    ],
)
def test_what_can_not_be_added(content: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = ledger(tmp_path)
    file = tmp_path / "own.yaml"
    file.write_text(content)
    assert main(["add", "small", str(file), "--home", str(tmp_path)]) == 2
    assert says in " ".join(capsys.readouterr().err.split())
    assert study.added_waiting() == 0
    assert main(["add", "small", str(tmp_path / "none.yaml"), "--home", str(tmp_path)]) == 2


def test_added_to_a_study_that_nobody_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = ledger(tmp_path)
    study.release()
    file = tmp_path / "own.yaml"
    file.write_text("configurations:\n  - {model.width: 24}\n")
    assert main(["add", "small", str(file), "--home", str(tmp_path)]) == 0
    assert "ockham resume small" in capsys.readouterr().out
    study.acquire()
    said: list[str] = []
    grant(study, ResumeRequest(retry_failed=True), said.append)
    assert said == ["failed trials that run again: 1", "added configurations are now trials 4"]
    added = study.trial(4)
    assert (added.role, added.params["model.width"], study.config.trials) == ("explore", 24, 5)


def test_the_backlog_runs_what_was_added_first_and_leaves_no_gap_in_the_plan(tmp_path: Path) -> None:
    study = a_ledger(tmp_path, trials=40)
    backlog = Backlog(study, study.config, ProposerInPlace(study.config), 2, StopFlag())
    first = backlog.next(wait=True)
    assert first is not None
    assert first.number == 0
    study.add([{"model.width": 99}])
    following = [backlog.next(wait=True) for _ in range(40)]
    numbers = [assignment.number for assignment in following if assignment]
    assert numbers == [32, *range(1, 32), *range(33, 41)], "a block had been laid out already"
    assert backlog.next(wait=True) is None
    assert backlog.is_exhausted
    plan = Proposer(study.config)
    planned = [row.proposed for row in study.trials() if row.role == "design"]
    assert planned == [plan.propose(number).params for number in range(40)]


def test_a_budget_may_shrink_to_what_has_begun(tmp_path: Path) -> None:
    study = a_ledger(tmp_path, proposals=6)
    study.finish(0, study.start_attempt(0), "COMPLETE")
    study.start_attempt(2)
    assert [budget(asked, study) for asked in (3, "4", "+2")] == [3, 4, 8]
    for refused in ("1", "0", "+0", "-3", "many"):
        with pytest.raises(UsageError, match="trials: "):
            budget(refused, study)
    grant(study, ResumeRequest(trials=3), lambda _: None)
    study.requeue(2, charged=False)
    backlog = Backlog(study, study.config, ProposerInPlace(study.config), 1, StopFlag())
    assert [getattr(backlog.next(wait=True), "number", None) for _ in range(3)] == [2, 1, None]
    assert backlog.is_exhausted
    assert Ledger.open(study.url, "tiny").config.trials == 3


def test_more_trials_are_counted_from_what_there_are_once_the_lease_is_held(tmp_path: Path) -> None:
    study = a_ledger(tmp_path, trials=6)
    asked, request = load_existing(Place(home=tmp_path), "tiny", "+5", {})
    study.add([{"model.width": 99}] * 2)
    study.take_added()
    study.release()
    late = Ledger.create(study.url, asked)
    late.acquire()
    grant(late, request, lambda _: None)
    assert (late.config.trials, late.config.added) == (13, 2)


def test_a_grid_is_not_extended_beyond_its_cells(tmp_path: Path) -> None:
    study = a_ledger(tmp_path, sampler="grid")
    with pytest.raises(UsageError, match="the grid has 6 cells"):
        grant(study, ResumeRequest(trials="+1"), lambda _: None)
    assert Ledger.open(study.url, "tiny").config.trials == 6
