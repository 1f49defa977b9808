"""The association of compressibility with the gap: which trials are compared, and what drives both sides."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from search_spaces.space import SearchSpace
from study.answer.verdict import Finding
from tests.unit.report_frames import Recipe, judged, make

pytestmark = pytest.mark.slow

FOLLOWS = "compressibility_follows_the_gap"


def found_in(recipe: Recipe | None = None) -> Finding:
    return judged(*make(recipe or Recipe())).finding_of(FOLLOWS)


def test_the_association_compares_trials_of_one_noise_and_criterion_only() -> None:
    found = found_in()
    assert found.pairs == 36  # 6 strata of 4 widths
    assert "over 36 pairs" in found.sentence


def test_depth_makes_strata_only_where_networks_are_retrained() -> None:
    config, trials, networks = make()
    trials["compression.depth"] = [6, 12] * 12 + [6]
    assert judged(config, trials, networks).finding_of(FOLLOWS).pairs == 36
    trials["compression.recovery"] = "finetune"
    found = judged(config, trials, networks).finding_of(FOLLOWS)
    assert found.verdict == "undefined"
    assert found.reason == "12 pairs of units that may be compared, 20 are needed"


@pytest.mark.parametrize(("sign", "verdict"), [(-1, "supported"), (1, "refuted")])
def test_the_association_is_decided_by_its_sign(sign: int, verdict: str) -> None:
    config, trials, networks = make()
    trials["gap/accuracy"] = sign * trials["compressibility/auc"]
    found = judged(config, trials, networks).finding_of(FOLLOWS)
    assert found.tau == pytest.approx(sign)
    assert found.verdict == verdict


def test_gaps_compare_at_equal_fit_only() -> None:
    # One width did not interpolate, so that its gap is small and its area too: it would hide the association.
    config, trials, networks = make(Recipe(widths=(64, 80, 96, 160, 256)))
    trials["gap/accuracy"] = -trials["compressibility/auc"]
    narrow = (trials["model.width"] == 64) & (trials["state"] == "COMPLETE")
    trials.loc[narrow, "gap/accuracy"] = -9.0
    trials.loc[narrow, "compressibility/auc"] = 0.0
    trials["train/interpolated"] = 1.0
    assert judged(config, trials, networks).finding_of(FOLLOWS).tau == pytest.approx(-0.2, abs=0.1)
    trials.loc[narrow, "train/interpolated"] = 0.8
    found = judged(config, trials, networks).finding_of(FOLLOWS)
    assert (found.n, found.pairs, found.tau) == (24, 36, pytest.approx(-1))
    assert "6 left out (undefined, its gap compares with no other’s)" in found.sentence or (
        "6 left out (its gap compares with no other’s)" in found.sentence
    )


def test_the_gap_of_renamed_classes_is_not_associated() -> None:
    found = found_in(Recipe(base={"data.noise_kind": "renamed"}))
    assert (found.verdict, found.n) == ("undefined", 0)
    assert "24 left out: its gap compares with no other’s" in found.reason


def test_an_association_of_something_that_does_not_vary_is_undefined() -> None:
    config, trials, networks = make()
    trials["gap/accuracy"] = 0.3
    assert "the same in all units" in judged(config, trials, networks).finding_of(FOLLOWS).reason


def driven(relation: float, seed: int, n: int = 48) -> tuple[Any, pd.DataFrame, pd.DataFrame]:
    """Noise from a range that drives both sides, and a relation between what it leaves of them."""
    config, trials, networks = make(Recipe(failed=0, criteria=("random",), widths=tuple(range(64, 64 + n // 3))))
    rng = np.random.default_rng(seed)
    noise = rng.uniform(0.05, 1, n)
    own = rng.normal(0, 0.05, n)
    trials["data.label_noise"] = noise
    trials["compressibility/auc"] = 0.8 - 0.5 * noise + own
    trials["gap/accuracy"] = 0.9 * noise + relation * own + rng.normal(0, 0.03, n)
    space = SearchSpace(base=config.space.base, span={"data.label_noise": [0.05, 1.0], "model.width": [64, 65]})
    return config.model_copy(update={"space": space}), trials, networks


def test_a_range_of_noise_that_drives_both_sides_is_taken_out_of_them() -> None:
    found = judged(*driven(-1.0, seed=1)).finding_of(FOLLOWS)
    assert (found.verdict, found.n) == ("supported", 48)
    assert found.tau is not None
    assert found.tau < -0.4
    alarms = [judged(*driven(0.0, seed)).finding_of(FOLLOWS).verdict for seed in range(12)]
    assert alarms.count("supported") <= 1, "without that nearly all would be: noise moves both"
