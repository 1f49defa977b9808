"""Instruments that do not measure the same thing are answered one by one, never pooled."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from study.answer import answer
from study.answer.readings import survival
from study.report import write_report
from study.report.figure import Picture, figures
from study.report.material import Material
from tests.unit.report_frames import Recipe, distilled, make


def test_transfer_inputs_are_told_apart_and_never_pooled() -> None:
    _, trials, networks = distilled()
    found = answer(trials, networks)
    assert found.verdict == "mixed"
    assert [reading.label for reading in found.readings] == ["training images", "gaussian noise", "uniform noise"]
    assert [reading.verdict for reading in found.readings] == ["yes", "yes", "collapse"]
    assert found.sentences[0] == (
        "It depends: yes, fitted on the training images and fitted on gaussian noise; both collapse, "
        "fitted on uniform noise."
    )
    assert found.overall.mean is None
    assert found.levels == ()
    assert found.instruments == ()
    json.dumps(found.as_dict(), allow_nan=False)
    assert all(reading.sentence in found.as_text() for reading in found.readings)


def test_the_interval_of_a_single_trial_is_over_its_pairs_and_says_so() -> None:
    _, trials, networks = distilled()
    reading = answer(trials, networks).readings[0]
    assert reading.contrast.ci95 is None
    assert reading.contrast.within == pytest.approx(trials["contrast/auc/ci95"].iloc[0])
    assert reading.contrast.pairs == 5
    assert "95 % interval over 5 pairs of one trial" in reading.sentence
    assert "is left once fresh networks of the same sizes and budget are subtracted" in reading.sentence


def test_two_trials_carry_the_interval_of_their_own_mean() -> None:
    _, trials, networks = distilled()
    trials.loc[trials["number"] == 1, "compression.transfer"] = "train"
    reading = answer(trials, networks).readings[0]
    halves = trials["contrast/auc/ci95"].iloc[:2]
    assert reading.contrast.within == pytest.approx(math.hypot(*halves) / 2)
    assert "over 10 pairs of two trials" in reading.sentence


def test_three_trials_carry_an_interval_over_trials() -> None:
    _, trials, networks = distilled(collapsed=())
    more = pd.concat([trials.assign(number=trials["number"] + 3 * i) for i in range(3)], ignore_index=True)
    more["contrast/auc"] += 0.01 * np.arange(9)
    reading = answer(more, networks).readings[0]
    assert reading.contrast.trials == 3
    assert reading.contrast.ci95 is not None
    assert reading.contrast.within is None
    assert "95 % interval over 3 trials" in reading.sentence


def test_a_collapse_says_whom_the_students_follow() -> None:
    _, trials, networks = distilled()
    sentence = answer(trials, networks).readings[2].sentence
    assert "Of 6 levels the noisy networks survive 0 and their clean twins 0" in sentence
    assert "agree with their teachers on 99 % and 99 % of the inputs" in sentence
    assert "give 97 % and 97 % of them one and the same class" in sentence
    assert "says little" in sentence


def test_a_contrast_that_fresh_networks_show_too_is_no_yes() -> None:
    _, trials, networks = distilled(collapsed=())
    trials["contrast/retained"] = 0.01
    found = answer(trials, networks)
    assert found.verdict == "unclear"
    assert found.sentences[0].startswith("Can’t tell: ")
    assert "yes as it stands, but perhaps only because fresh networks differ as well" in found.readings[0].sentence


def test_survival_is_counted_from_the_curves() -> None:
    _, trials, networks = distilled()
    first = trials[trials["number"] == 0]
    rows = networks[(networks["trial"] == 0) & (networks["arm"] == "replicate")]
    lasted = []
    for _, curve in rows.sort_values("level").groupby("network"):
        share = (curve["train_accuracy"] - curve["chance"]) / (curve["train_accuracy"].iloc[0] - curve["chance"])
        lasted.append(int(np.argmax([*(share < 0.5), True])) - 1)
    found = survival(first, networks, "replicate")
    assert found is not None
    assert found.levels == pytest.approx(np.mean(lasted))
    assert 0 < found.levels < 6
    assert found.top_share == pytest.approx(0.12)
    assert found.agreement == pytest.approx(0.9)
    assert survival(first, networks.iloc[:0, :0], "replicate") is None


def test_criteria_are_told_apart_only_where_they_contradict_each_other() -> None:
    _, trials, networks = make()
    assert answer(trials, networks).readings == ()
    trials.loc[trials["compression.criterion"] == "random", "contrast/auc"] *= -1
    found = answer(trials, networks)
    assert {reading.label: reading.verdict for reading in found.readings} == {"magnitude_l2": "yes", "random": "no"}
    assert "by itself" in found.readings[0].sentence or "certain" in found.readings[0].sentence  # its noise levels


def test_recovery_is_told_apart() -> None:
    _, trials, networks = make(Recipe(scratch=True))
    trials["compression.recovery"] = ["none", "finetune"] * 12 + ["none"]
    found = answer(trials, networks)
    assert [reading.phrase for reading in found.readings] == ["without recovery", "after finetuning"]


def test_the_first_screen_has_one_reading_each_and_no_pooled_number(tmp_path: Path) -> None:
    config, trials, networks = distilled()
    found = answer(trials, networks)
    material = Material(config, trials, networks, found)
    drawn = {name: figure.draw(material) for name, figure in figures().items()}
    forest, following = drawn["forest"], drawn["following"]
    assert isinstance(forest, Picture)
    assert isinstance(following, Picture)
    assert forest.data.groupby("instrument", sort=False)["label"].count().tolist() == [2, 2, 2]
    assert len(following.panels) == 3
    last = following.data.query("panel == 'noise 1 · uniform noise' and arm == 'noisy' and level == 6")
    means = dict(zip(last["series"], last["mean"], strict=True))
    assert means["inputs to which the teacher gives its top class"] == pytest.approx(0.97)
    assert means["accuracy on the original data"] == pytest.approx(0.11)
    html = write_report(config, trials, networks, found, tmp_path).read_text(encoding="utf-8")
    assert html.count('<p class="reading ') == 3
    assert ">It depends<" in html


def test_pruned_studies_have_no_students_to_draw() -> None:
    config, trials, networks = make()
    shown = figures()["following"].draw(Material(config, trials, networks, answer(trials, networks)))
    assert not isinstance(shown, Picture)
    assert shown.reason == ""
