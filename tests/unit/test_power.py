"""The effect that a planned design detects, before it runs."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from study.config import StudyConfig
from study.operations.power import detectable, power
from tests.unit.test_until_decided import config, opened, run


def test_the_detectable_effect_is_found_four_times_in_five() -> None:
    n, spread, family = 24, 0.1, 5
    effect = detectable(spread, n, family)
    values = np.random.default_rng(0).normal(effect, spread, (20_000, n))
    p = stats.ttest_1samp(values, 0.0, axis=1, alternative="greater").pvalue
    assert np.mean(p <= 0.025 / family) == pytest.approx(0.8, abs=0.02)


def test_each_claim_of_the_default_study_has_its_line(tmp_path: Path) -> None:
    lines = list(power(StudyConfig(space="redundancy", run={"home": tmp_path})))
    assert len(lines) == 2
    assert lines[0].startswith(
        "memorising_breaks_earlier: 24 trials planned find an effect of 0.07 at 80 %"
    )  # (2.807 + .858) · .1/√24
    assert "one of 5 in the family" in lines[0]


def test_a_slope_of_ranks_above_1_is_promised_to_nobody(tmp_path: Path) -> None:
    said = {
        trials: list(power(StudyConfig(space="redundancy", trials=trials, run={"home": tmp_path})))[1]
        for trials in (6, 24)
    }
    assert "6 trials planned are too few to tell at 80 %" in said[6]
    assert "24 trials planned find a slope of ranks of 0.75 at 80 %" in said[24]


def test_the_spread_is_that_of_a_similar_study(tmp_path: Path) -> None:
    pilot = opened(config(tmp_path, trials=8, until=False))
    run(pilot, 1.0)
    planned = config(tmp_path, trials=48).model_copy(update={"name": "larger"})
    (line,) = power(planned, pilot)
    losses = [row.metrics["train/loss"] for row in pilot.trials()]
    assert f"(spread {np.std(losses, ddof=1):.2f}, that of tiny; one of 1 in the family)" in line
    assert line.startswith("loss_is_positive: 48 trials planned")
    (unknown,) = power(planned)
    assert "--like NAME" in unknown


def test_few_networks_are_counted_as_what_they_are(tmp_path: Path) -> None:
    lines = list(power(StudyConfig(space="criteria", run={"home": tmp_path})))
    assert lines[0].startswith("magnitude_l2_finds_what_can_go: 5 networks planned")
