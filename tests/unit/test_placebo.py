"""Conditions that leave a rule to learn: worded as placebos, and never pooled with what has to be memorised."""

import numpy as np
import pandas as pd
import pytest

from study.answer import answer
from tests.unit.report_frames import Recipe, make


def test_placebo_is_worded_as_placebo() -> None:
    _, trials, networks = make(Recipe(base={"data.noise_kind": "renamed"}, effect=0.0, spread=0.2))
    found = answer(trials, networks)
    assert found.placebo
    assert found.sentences[0].startswith("The placebo holds: ")
    trials["contrast/auc"] += 0.3
    assert answer(trials, networks).sentences[0].startswith("The placebo fails: ")


@pytest.mark.parametrize("inputs", ["shuffled_pixels"])
def test_inputs_that_leave_a_rule_are_a_placebo_and_not_pooled(inputs: str) -> None:
    """Of the arms of Zhang et al. one shuffles all images alike: there is nothing to memorise."""
    _, trials, networks = make(Recipe(failed=0, noise=(1.0,)))
    _, others, more = make(Recipe(base={"data.inputs": inputs}, noise=(0.0,), effect=0.0, failed=0))
    others["number"], more["trial"] = others["number"] + 100, more["trial"] + 100
    found = answer(pd.concat([trials, others], ignore_index=True), pd.concat([networks, more], ignore_index=True))
    alone = answer(trials, networks)
    assert (found.overall.mean, found.overall.trials) == (alone.overall.mean, alone.overall.trials)
    assert found.levels[-1].label == "noise 0, inputs with shuffled pixels (placebo)"
    assert any(text.startswith("The placebo (inputs with shuffled pixels) shows") for text in found.missing)


@pytest.mark.parametrize("inputs", ["random_pixels", "gaussian"])
def test_inputs_without_a_rule_are_memorised_whatever_the_labels(inputs: str) -> None:
    _, trials, networks = make(Recipe(base={"data.inputs": inputs}, noise=(0.0,), failed=0))
    found = answer(trials, networks)
    assert not found.placebo
    assert found.overall.trials == len(trials)


def test_noise_on_inputs_that_leave_a_rule_is_memorised() -> None:
    _, trials, networks = make(Recipe(base={"data.inputs": "shuffled_pixels"}, failed=0))
    assert not answer(trials, networks).placebo


def test_a_kind_of_noise_that_is_not_installed_is_named_and_no_placebo() -> None:
    _, trials, networks = make(Recipe(failed=0))
    trials["data.noise_kind"] = "of_their_own"
    found = answer(trials, networks)
    assert not found.placebo
    assert found.levels[0].label == "noise 0.25, of their own"


def test_a_placebo_may_differ_from_nothing_by_next_to_nothing() -> None:
    _, trials, networks = make(Recipe(base={"data.noise_kind": "renamed"}, effect=0.0, spread=0.2))
    trials["contrast/auc"] = np.linspace(-0.02, -0.01, len(trials))
    found = answer(trials, networks).sentences[0]
    assert found.startswith("The placebo holds: ")
    assert "not exactly 0, but within ±0.05 of it" in found


def test_placebo_trials_never_enter_the_pooled_contrast() -> None:
    _, trials, networks = make()
    _, placebo, _ = make(Recipe(base={"data.noise_kind": "renamed"}, effect=0.0, failed=0))
    placebo["number"] += 100
    both = answer(pd.concat([trials, placebo], ignore_index=True), networks)
    assert both.overall.trials == 24
    assert not both.placebo
    assert [level.label for level in both.levels][-1] == "noise 1, classes renamed (placebo)"
    assert any("The placebo" in text for text in both.missing)
