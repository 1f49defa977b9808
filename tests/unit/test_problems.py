"""Errors keep location, reason, value, fix and what is allowed until they are printed, in whoever's terms."""

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

import study
from study.errors import UsageError
from study.settings.loading import LaunchOptions, load_study
from study.settings.wording import as_option, as_typed
from trainables.config import TrialConfig
from trainables.explain import problems_of
from trainables.problems import Problem, Refused, problems_in


def wrong(**fields: object) -> tuple[Problem, ...]:
    with pytest.raises(ValidationError) as caught:
        TrialConfig.model_validate(fields)
    return problems_of(caught.value, TrialConfig)


def refused(**options: object) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load_study(LaunchOptions(**options))  # type: ignore[arg-type]
    return caught.value


def test_a_field_that_there_is_not_says_which_there_are() -> None:
    (only,) = wrong(model={"widht": 3})
    assert only.location == ("model", "widht")
    assert (only.reason, only.fix, only.value) == ("there is no field 'widht'", "Did you mean 'width'?", "")
    assert "width" in only.allowed
    assert only.sentence().startswith("model.widht: there is no field 'widht'. Did you mean 'width'? Allowed: name, ")


def test_a_value_says_what_it_must_be_and_is_shown_once() -> None:
    (number,) = wrong(data={"label_noise": 2})
    assert (number.location, number.reason, number.value) == (
        ("data", "label_noise"),
        "must be less than or equal to 1",
        "2",
    )
    (word,) = wrong(compression={"scope": "globl"})
    assert (word.reason, word.fix) == ("must be 'layer' or 'global'", "Did you mean 'global'?")


def test_what_lies_in_an_entry_is_found_below_it() -> None:
    (deep,) = wrong(compression={"method": "distill", "distill": {"epohcs": 3}})
    assert deep.location == ("compression", "distill", "epohcs")
    assert deep.fix == "Did you mean 'epochs'?"
    (unread,) = wrong(compression={"distill": {"epochs": 3}})
    assert unread.location == ("compression", "distill")


def test_a_trial_of_a_list_keeps_its_place_and_its_field(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("configurations: [{model.width: 3}, {model.widht: 3}]")
    (only,) = refused(source=str(path)).problems
    assert only.location == ("configurations", "2", "model", "widht")
    assert only.sentence().startswith(f"{path}: configuration 2: model.widht: there is no field 'widht'.")


def test_who_said_it_decides_in_which_terms_it_is_told(tmp_path: Path) -> None:
    typed = refused(run={"data_dir": "x", "max_concurrent": 0})
    assert [problem.location for problem in typed.problems] == [("run", "max_concurrent")]
    assert as_typed(typed) == "--max-concurrent: must be greater than or equal to 1 (given: 0)."
    with pytest.raises(UsageError, match=r"^max_concurrent: must be greater than or equal to 1 \(given: 0\)\.$"):
        study.launch("redundancy", home=tmp_path, max_concurrent=0)
    path = tmp_path / "own.yaml"
    path.write_text("run: {max_concurrent: 0}\ntrials: 0")
    both = as_typed(refused(source=str(path)))
    assert both.startswith(f"{path}: trials: must be")
    assert f" {path}: run.max_concurrent: must be" in both
    assert as_typed(refused(source=str(path), trials=0)).startswith("--trials: must be")
    (only,) = refused(settings=("model.widht=3",)).problems
    assert (only.place, only.location) == ("--set model.widht", ("model", "widht"))
    assert as_option(Problem("no", ("stopping", "metric", "metric"))).place == "--scheduler-metric"
    assert as_option(Problem("no", ("run", "prices"))).place == "--price"


def test_a_hint_is_a_part_of_the_problem_it_belongs_to() -> None:
    (only,) = refused(settings=("widht=3",)).problems
    assert only.fix == "Keys are dotted: did you mean model.width?"
    assert "model" in only.allowed


def test_they_travel_between_processes() -> None:
    error = UsageError([Problem("no", ("trials",), value="3")])
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.problems) == ("trials: no (given: 3).", error.problems)
    assert str(pickle.loads(pickle.dumps(UsageError("plain words")))) == "plain words"
    assert problems_in(ValueError("plain words")) == (Problem("plain words"),)
    assert isinstance(error, Refused)
