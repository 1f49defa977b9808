"""Explored and picked trials run again as design trials: what is queued, what counts, and interruptions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_spaces.claims import Claim, Greater
from search_spaces.quantities import Metric
from search_spaces.space import SearchSpace
from study import api, cli
from study.config import StudyConfig
from study.config.goals import Objective
from study.errors import UsageError
from study.execution.asking import ProposerInPlace
from study.execution.backlog import Backlog
from study.execution.early_stopping import EarlyStopping
from study.execution.leftovers import sweep
from study.ledger import Ledger
from study.operations.confirming import confirm
from study.settings.verdicts import verdicts_of
from study.stop_flag import StopFlag
from tests.studies_for_tests import LISTS, TUNED, dense

CLAIM = Claim(
    name="loss_is_positive", says="Losses are positive.", quantity=Metric(metric="train/loss"), comparison=Greater()
)


def opened(home: Path, **fields: Any) -> Ledger:
    """A study with the lease held; the same one if it is there already."""
    space = SearchSpace(base={"data.name": "digits"}, span=fields.pop("span", LISTS), claims=(CLAIM,))
    config = StudyConfig.model_validate({"name": "tiny", "trials": 4, **fields, "space": space, "run": {"home": home}})
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    sweep(ledger)
    return ledger


def run(ledger: Ledger, at_most: int = 99) -> list[int]:
    """Runs what waits, one after the other; a number's loss is its own."""
    backlog = Backlog(ledger, ledger.config, ProposerInPlace(ledger.config), 1, StopFlag())
    begun: list[int] = []
    while len(begun) < at_most and (assignment := backlog.next(wait=True)):
        attempt = ledger.start_attempt(assignment.number)
        backlog.on_start(assignment.number, attempt)
        loss = 1 + 0.3 * float(np.random.default_rng(assignment.number).normal())
        if (ended := ledger.finish(assignment.number, attempt, "COMPLETE", records=[dense(0, loss=loss)])) is not None:
            backlog.on_end(ended)
        begun.append(assignment.number)
    ledger.release()
    return begun


def explored(home: Path) -> Ledger:
    """A study whose sampler has chosen four trials."""
    ledger = opened(home, span=TUNED, sampler="random", scheduler="asha")
    run(ledger)
    assert {row.role for row in ledger.trials()} == {"explore"}
    return ledger


def test_explored_trials_are_run_again_as_design_trials_and_stay_as_they_are(tmp_path: Path) -> None:
    ledger = explored(tmp_path)
    before = ledger.trials()
    found = verdicts_of(ledger)
    assert found.finding_of("loss_is_positive").verdict == "undefined"
    assert "none was run again: they decide nothing" in found.assurance
    assert "ockham confirm runs them again" in found.notes[0]
    assert confirm(ledger) == [0, 1, 2, 3]
    again = opened(tmp_path, span=TUNED, sampler="random", scheduler="asha")
    assert run(again) == [4, 5, 6, 7]
    rows = again.trials()
    assert rows[:4] == before
    assert [(row.role, row.added, row.is_repetition) for row in rows[4:]] == [("design", True, True)] * 4
    assert [row.fingerprint for row in rows[4:]] == [row.fingerprint for row in before]
    assert len({row.cell for row in rows}) == 8, "draws are keyed by cells: each has its own"
    found = verdicts_of(again)
    assert found.finding_of("loss_is_positive").n == 4
    assert found.guarantee == "any time"
    assert found.assurance.startswith(
        "4 chosen trials were run again by ockham confirm, with fresh seeds, and they alone"
    )


def test_from_eight_on_they_decide(tmp_path: Path) -> None:
    ledger = explored(tmp_path)
    assert confirm(ledger, [2], times=10) == [2] * 10
    again = opened(tmp_path, span=TUNED, sampler="random", scheduler="asha")
    run(again)
    found = verdicts_of(again).finding_of("loss_is_positive")
    assert (found.verdict, found.by, found.n) == ("supported", "any time", 10)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_killed_and_asked_again_nothing_is_run_twice(tmp_path: Path, after: int) -> None:
    ledger = explored(tmp_path)
    assert len(confirm(ledger, times=2)) == 8
    assert confirm(ledger, times=2) == [], "all of it waits already"
    first = opened(tmp_path, span=TUNED, sampler="random", scheduler="asha")
    assert len(run(first, at_most=after)) == after
    assert confirm(first, times=2) == [], "some of it has run, the rest waits"
    last = opened(tmp_path, span=TUNED, sampler="random", scheduler="asha")
    assert len(run(last)) == 8 - after
    rows = last.trials()
    assert [row.fingerprint for row in rows[4:8]] == [row.fingerprint for row in rows[:4]], "one of each, then another"
    assert [row.fingerprint for row in rows[8:]] == [row.fingerprint for row in rows[:4]]
    assert confirm(last, times=3) == [0, 1, 2, 3]


def test_what_failed_on_the_way_is_asked_for_anew(tmp_path: Path) -> None:
    ledger = explored(tmp_path)
    confirm(ledger, [1])
    again = opened(tmp_path, span=TUNED, sampler="random", scheduler="asha")
    again.take_added()
    again.finish(4, again.start_attempt(4), "FAILED", error="lost")
    assert confirm(again, [1]) == [1]


def test_picked_trials_of_a_design_count_with_it_at_any_time(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    run(ledger)
    assert verdicts_of(ledger).guarantee == "planned"
    confirm(ledger, [3])
    assert verdicts_of(ledger).guarantee == "planned", "asking changes nothing yet"
    again = opened(tmp_path)
    run(again)
    found = verdicts_of(again)
    assert found.finding_of("loss_is_positive").n == 5
    assert found.guarantee == "any time"
    assert found.assurance.startswith(
        "All 4 planned trials have ended; with them counts 1 that was run again by choice, each with fresh seeds."
    )
    assert again.config.planned == 4


class Harsh:
    """Judges all trials alike."""

    def report(self, number: int, epoch: int, value: float) -> str:
        return "worse than all others"


def test_a_scheduler_does_not_stop_what_is_run_again() -> None:
    judging = EarlyStopping(Harsh(), Objective(metric="train/loss"), spared=lambda number: number == 4)
    assert judging.verdict(3, [dense(1, loss=1.0)]) is not None
    assert judging.verdict(4, [dense(1, loss=1.0)]) is None


def test_what_can_not_be_confirmed_is_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = opened(tmp_path)
    run(ledger)
    for numbers, said in (([], "has explored"), ([9], "trial 9 of tiny can't be confirmed: there is none")):
        with pytest.raises(UsageError, match=said):
            confirm(ledger, numbers)
    with pytest.raises(UsageError, match="--times 0"):
        confirm(ledger, [0], times=0)
    confirm(ledger, [0])
    again = opened(tmp_path)
    run(again)
    with pytest.raises(UsageError, match="itself one that was run again"):
        confirm(again, [4])
    assert cli.main(["confirm", "tiny", "17", "--home", str(tmp_path)]) == 2
    assert "trial 17 of tiny can't be confirmed" in " ".join(capsys.readouterr().err.split())


def test_a_trial_says_which_it_confirms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = explored(tmp_path)
    confirm(ledger, [2])
    run(opened(tmp_path, span=TUNED, sampler="random", scheduler="asha"))
    assert cli.main(["trials", "tiny", "4", "--home", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "COMPLETE, design" in said
    assert "Run again with fresh seeds, to confirm trial 2." in said


def test_from_python(tmp_path: Path) -> None:
    explored(tmp_path).close()
    handle = api.load("tiny", home=tmp_path)
    assert handle.confirm([1, 2]) == [1, 2]
    assert handle.confirm() == [0, 3], "the other two wait already"
