"""A study that runs until its claims are decided: blocks, the trial it stops at, and interruptions."""

from pathlib import Path

import numpy as np
import pytest

from search_spaces.claims import Claim, Greater
from search_spaces.quantities import Metric
from search_spaces.space import SearchSpace
from search_spaces.spanned import Choices
from study.config import StudyConfig
from study.errors import UsageError
from study.execution.asking import ProposerInPlace
from study.execution.backlog import Backlog
from study.execution.leftovers import sweep
from study.ledger import Ledger
from study.proposing.block import block_of
from study.settings.loading import LaunchOptions, load_study
from study.settings.resume_request import NO_REQUEST, ResumeRequest, grant
from study.settings.verdicts import verdicts_of
from study.stop_flag import StopFlag
from tests.studies_for_tests import LISTS, a_study, dense

CLAIM = Claim(
    name="loss_is_positive", says="Losses are positive.", quantity=Metric(metric="train/loss"), comparison=Greater()
)


def config(home: Path, trials: int = 48, until: bool = True, claims: tuple[Claim, ...] = (CLAIM,)) -> StudyConfig:
    space = SearchSpace(base={"data.name": "digits"}, span=LISTS, claims=claims)
    run = {"home": home, "until_decided": until}
    return StudyConfig.model_validate({"name": "tiny", "trials": trials, "space": space, "run": run})


def opened(study: StudyConfig) -> Ledger:
    ledger = Ledger.create(study.ledger_url, study)
    ledger.acquire()
    sweep(ledger)
    return ledger


def run(ledger: Ledger, mean: float, slots: int = 2, at_most: int = 99) -> list[int]:
    """Runs trials whose losses are normal about a mean; a number's loss is its own. The numbers in their order."""
    said: list[str] = []
    backlog = Backlog(ledger, ledger.config, ProposerInPlace(ledger.config), slots, StopFlag(), say=said.append)
    begun: list[int] = []
    running: list[int] = []
    while True:
        while len(running) < slots and (assignment := backlog.next(wait=not running)):
            ledger.start_attempt(assignment.number)
            backlog.on_start(assignment.number, assignment.attempt)
            begun.append(assignment.number)
            running.append(assignment.number)
            if len(begun) == at_most:
                ledger.release()
                return begun
        if not running:
            assert backlog.is_exhausted
            ledger.release()
            return begun
        number = running.pop(0)
        loss = mean + 0.3 * float(np.random.default_rng(number).normal())
        row = ledger.trial(number)
        ended = ledger.finish(number, row.attempts, "COMPLETE", records=[dense(0, loss=loss)])
        assert ended is not None
        backlog.on_end(ended)


def test_it_stops_with_the_first_block_that_decides(tmp_path: Path) -> None:
    ledger = opened(config(tmp_path))
    begun = run(ledger, 1.0)
    assert begun == list(range(12)), "eight units are the first that the anytime t counts with, a block has six"
    assert ledger.config.trials == 12
    found = verdicts_of(ledger)
    assert found.finding_of("loss_is_positive").verdict == "supported"
    assert found.assurance.startswith("Ended at 12 of 48 planned trials.")


def test_an_undecided_study_runs_to_its_end_and_has_both_guarantees(tmp_path: Path) -> None:
    ledger = opened(config(tmp_path, trials=14))
    assert run(ledger, 0.0) == list(range(14))
    assert verdicts_of(ledger).guarantee == "planned"


@pytest.mark.parametrize("after", [1, 6, 7, 11])
def test_killed_and_resumed_it_stops_at_the_same_trial(tmp_path: Path, after: int) -> None:
    first = opened(config(tmp_path))
    run(first, 1.0, at_most=after)
    again = opened(config(tmp_path))
    run(again, 1.0, slots=3)
    assert again.config.trials == 12
    assert again.counts()["COMPLETE"] == 12


def test_launched_again_it_is_over_before_anything_starts(tmp_path: Path) -> None:
    run(opened(config(tmp_path)), 1.0)
    again = opened(config(tmp_path))  # asks for 48 once more
    said: list[str] = []
    grant(again, NO_REQUEST, said.append)
    assert again.config.trials == 12
    assert said[-1].startswith("decided after 12 trials: loss_is_positive is supported")


def test_extending_changes_the_words_of_the_guarantee_and_looking_nothing(tmp_path: Path) -> None:
    ledger = opened(config(tmp_path, trials=5, until=False))
    run(ledger, 1.0)
    before = (tmp_path / "tiny" / "study.db").read_bytes()
    found = verdicts_of(ledger)
    assert (found.guarantee, found.finding_of("loss_is_positive").by) == ("planned", "planned n")
    assert (tmp_path / "tiny" / "study.db").read_bytes() == before
    extended = opened(config(tmp_path, trials=5, until=False))
    grant(extended, ResumeRequest(trials="+1"), lambda _: None)
    run(extended, 1.0)
    found = verdicts_of(extended)
    assert found.assurance.startswith("Extended from 5 planned trials to 6.")
    assert found.finding_of("loss_is_positive").verdict == "open"


def test_without_claims_it_is_refused() -> None:
    with pytest.raises(UsageError, match=r"until_decided.*claims nothing"):
        load_study(LaunchOptions(SearchSpace(span=LISTS), name="mine", run={"until_decided": True}))
    with pytest.raises(UsageError, match=r"until_decided.*decide nothing"):
        load_study(LaunchOptions("redundancy", sampler="tpe", run={"until_decided": True}))


def test_blocks_are_balanced(tmp_path: Path) -> None:
    assert block_of(config(tmp_path)) == 6
    assert block_of(StudyConfig(space="redundancy")) == 6
    assert block_of(StudyConfig(space="criteria")) == 36, "all instruments of a dense cell"
    span = {"data.label_noise": Choices(values=(0.5, 1.0)), "model.width": Choices(values=(16, 32))}
    assert block_of(a_study(tmp_path, span=span)) == 8
    assert block_of(a_study(tmp_path, span={"model.width": Choices(values=(16,))})) == 6


def test_claims_make_a_study_another_one_and_older_studies_meet_them_later(tmp_path: Path) -> None:
    redundancy = StudyConfig(space="redundancy", run={"home": tmp_path})
    assert [claim.name for claim in redundancy.space.claims] == [
        "memorising_breaks_earlier",
        "compressibility_follows_the_gap",
        "contrast_by_criterion",
    ]
    older = redundancy.model_copy(update={"space": redundancy.space.model_copy(update={"claims": ()})})
    assert older.identity() == {k: v for k, v in redundancy.identity().items() if k != "claims"}
    ledger = Ledger.create(redundancy.ledger_url, older)
    ledger.acquire()
    ledger.release()
    again = Ledger.create(redundancy.ledger_url, redundancy)  # the named study claims something by now
    assert again.config.space.claims == ()
    again.acquire()
    assert again.config.space.claims == ()
    again.release()
    found = verdicts_of(again)
    assert found.findings == ()
    assert {one.claim for one in found.exploratory} == {claim.name for claim in redundancy.space.claims}
    with pytest.raises(UsageError, match="claims"):
        Ledger.create(redundancy.ledger_url, config(tmp_path).model_copy(update={"name": "redundancy"}))


def test_the_first_plan_is_kept(tmp_path: Path) -> None:
    ledger = opened(config(tmp_path, trials=6, until=False))
    grant(ledger, ResumeRequest(trials=9), lambda _: None)
    ledger.release()
    again = opened(config(tmp_path, trials=12, until=False))
    assert (again.config.planned, again.config.trials) == (6, 12)
