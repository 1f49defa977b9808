"""Which guarantee verdicts have follows from the ledger alone: whatever was stopped, killed, cut, extended or added."""

from pathlib import Path

import pytest

from search_spaces.claims import Claim, Greater
from search_spaces.quantities import Metric
from study.answer.standing import Standing
from study.answer.verdict import Verdicts
from study.ledger import Ledger, Proposal
from study.operations.confirming import confirm
from study.settings.resume_request import NO_REQUEST, ResumeRequest, grant
from study.settings.verdicts import verdicts_of
from tests.studies_for_tests import dense
from tests.unit.test_until_decided import config, opened, run

pytestmark = pytest.mark.slow

PLANNED = "All {} planned trials have ended, no fewer and no more"
ANY_TIME = "Verdicts are by what holds at any time"
PLAN = 8


def begin(home: Path) -> Ledger:
    """The study, or the one that is there with the budget that it has."""
    there = (home / "tiny").exists()
    return opened(config(home, trials=1 if there else PLAN, until=False))


def go_on(home: Path, request: ResumeRequest = NO_REQUEST, at_most: int = 99) -> Verdicts:
    ledger = begin(home)
    grant(ledger, request, lambda _: None)
    run(ledger, 1.0, at_most=at_most)
    found = verdicts_of(ledger)
    ledger.close()
    return found


def test_ended_at_its_first_planned_number(tmp_path: Path) -> None:
    found = go_on(tmp_path)
    assert found.guarantee == "planned"
    assert found.assurance.startswith(PLANNED.format(PLAN))


@pytest.mark.parametrize("after", [1, 5, 7])
def test_killed_and_resumed_is_neither_stopped_nor_extended(tmp_path: Path, after: int) -> None:
    found = go_on(tmp_path, at_most=after)
    assert found.guarantee == "any time"
    assert f"of {PLAN} planned trials have ended" in found.assurance
    assert "at the last planned trial Student’s t is asked as well" in found.assurance
    assert go_on(tmp_path).guarantee == "planned"


def test_extended_says_from_what_to_what_and_how_far_it_is(tmp_path: Path) -> None:
    assert go_on(tmp_path).guarantee == "planned"
    found = go_on(tmp_path, ResumeRequest(trials="+4"), at_most=3)
    assert found.guarantee == "any time"
    assert found.assurance.startswith(f"Extended from {PLAN} planned trials to {PLAN + 4}, of which ")
    found = go_on(tmp_path)
    assert found.assurance.startswith(f"Extended from {PLAN} planned trials to {PLAN + 4}. {ANY_TIME}")


def test_cut_says_so_before_and_after_it_has_ended(tmp_path: Path) -> None:
    go_on(tmp_path, at_most=3)
    found = go_on(tmp_path, ResumeRequest(trials=6), at_most=1)
    assert found.assurance.startswith(f"Cut from {PLAN} planned trials to 6, of which ")
    found = go_on(tmp_path)
    assert found.assurance.startswith(f"Ended at 6 of {PLAN} planned trials. {ANY_TIME}")


def test_what_ends_where_it_was_planned_to_is_as_planned_however_it_came_there(tmp_path: Path) -> None:
    """Student's t looks at that number alone: with what probability it errs there no look before it changes."""
    go_on(tmp_path, ResumeRequest(trials=5))
    found = go_on(tmp_path, ResumeRequest(trials=20), at_most=1)
    assert found.guarantee == "any time"
    found = go_on(tmp_path, ResumeRequest(trials=PLAN))
    assert found.guarantee == "planned"
    assert found.assurance.startswith(PLANNED.format(PLAN))


def test_until_decided_and_then_to_the_plan_after_all(tmp_path: Path) -> None:
    ledger = opened(config(tmp_path, trials=14))
    run(ledger, 1.0)
    assert verdicts_of(ledger).assurance.startswith("Ended at 12 of 14 planned trials.")
    again = opened(config(tmp_path, trials=14, until=False))
    grant(again, ResumeRequest(trials=14), lambda _: None)
    run(again, 1.0)
    assert verdicts_of(again).assurance.startswith(PLANNED.format(14))


def test_trials_added_by_hand_explore_and_change_nothing(tmp_path: Path) -> None:
    ledger = begin(tmp_path)
    ledger.add([{"model.width": 16}])
    ledger.release()
    found = go_on(tmp_path)
    assert (found.guarantee, found.counted) == ("planned", PLAN)
    assert found.notes[0].startswith("1 trial that somebody, a sampler or a scheduler chose is a selection")


def test_trials_that_failed_have_ended_too(tmp_path: Path) -> None:
    ledger = begin(tmp_path)
    run(ledger, 1.0, at_most=PLAN - 1)
    again = begin(tmp_path)
    left = again.numbers("QUEUED", "RUNNING")
    for number in left:
        again.finish(number, again.start_attempt(number), "FAILED", error="lost")
    found = verdicts_of(again)
    assert (found.guarantee, found.counted) == ("planned", PLAN - len(left))
    assert found.notes[0].endswith("failed and are not counted.")


def test_what_is_run_again_by_choice_extends_it(tmp_path: Path) -> None:
    go_on(tmp_path)
    ledger = begin(tmp_path)
    assert confirm(ledger, [2], times=2) == [2, 2]
    ledger.release()
    found = go_on(tmp_path)
    assert (found.guarantee, found.counted) == ("any time", PLAN + 2)
    assert found.assurance.startswith(
        f"All {PLAN} planned trials have ended; with them count 2 that were run again by choice, each with fresh seeds."
    )


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Standing(None, 8, 8), "All 8 trials have ended, and how many were planned at first is not known. "),
        (Standing(None, 8, 5), "5 of 8 trials have ended, and how many were planned at first is not known. "),
        (Standing(8, 8, 8, explores=True), "A sampler or scheduler chose these trials, and none was run again"),
        (
            Standing(8, 8, 8, 1, explores=True),
            "1 chosen trial was run again by ockham confirm, with fresh seeds, and it ",
        ),
    ],
)
def test_what_is_not_known_or_chosen_is_never_as_planned(standing: Standing, said: str) -> None:
    assert not standing.as_planned
    assert standing.assurance.startswith(said)
    assert ANY_TIME in standing.assurance


def test_looks_that_stop_it_name_the_conditions_that_were_not_waited_for(tmp_path: Path) -> None:
    """A claim by condition is decided over all of them; alone each has too few units yet."""
    by = Claim(
        name="loss_is_positive",
        says="Losses are positive.",
        quantity=Metric(metric="train/loss"),
        comparison=Greater(),
        by="data.label_noise",
    )
    ledger = opened(config(tmp_path, claims=(by,)))
    said: list[str] = []
    for number in range(12):
        ledger.propose([_proposal(number)])
        ledger.finish(number, ledger.start_attempt(number), "COMPLETE", records=[dense(0, loss=1 + 0.1 * (number % 5))])
    grant(ledger, NO_REQUEST, said.append)
    assert ledger.config.trials == 12
    assert said == [
        "decided after 12 trials: loss_is_positive is supported (by itself not yet: noise 0, noise 0.5, noise 1)"
    ]


def _proposal(number: int) -> Proposal:
    return Proposal({"data.label_noise": (0, 0.5, 1)[number % 3], "model.width": (16, 32)[number % 2]})
