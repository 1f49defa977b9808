"""What is asked of every study: numbers against independent ones, words that follow, absences that are said."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from search_spaces.space import Choices, SearchSpace
from search_spaces.usual import usual_claims
from study.answer.pairs import count_pairs, network_areas
from study.answer.selection import conditions
from study.answer.verdict import Verdicts
from tests.unit.report_frames import Recipe, auc, distilled, judged, make

pytestmark = pytest.mark.slow

EARLIER, FOLLOWS, FRESH = "memorising_breaks_earlier", "compressibility_follows_the_gap", "more_than_fresh_networks_do"
RECOVERY = {"compression.recovery": "finetune", "compression.recovery_epochs": 4}


def found_in(recipe: Recipe | None = None) -> Verdicts:
    return judged(*make(recipe or Recipe()))


def test_conditions_have_the_mean_over_trials_with_its_t_interval() -> None:
    config, trials, networks = make()
    found = judged(config, trials, networks)
    assert found.family == 4 + 1, "three noise levels and all of them, and the association"
    for one, noise in zip(found.conditions(EARLIER), (0.25, 0.5, 1.0), strict=True):
        values = trials.loc[trials["data.label_noise"].eq(noise), "contrast/auc"].dropna()
        half = 3.499483 * values.std(ddof=1) / math.sqrt(8)  # t with 7 degrees of freedom at 1 − .025/5
        assert (one.n, one.condition) == (8, f"noise {noise:g}")
        assert one.estimate == pytest.approx(values.mean())
        assert one.half == pytest.approx(half, rel=1e-5)
    whole = found.finding_of(EARLIER)
    assert (whole.n, whole.ahead) == (24, (24, 0.0, True))
    assert "24 trials, all of them above 0" in whole.sentence
    described = found.conditions("contrast_by_criterion")
    assert [one.condition for one in described] == ["criterion random", "criterion magnitude_l2"] or [
        one.condition for one in described
    ] == ["criterion magnitude_l2", "criterion random"]
    values = trials.loc[trials["compression.criterion"].eq("random"), "contrast/auc"].dropna()
    (random,) = [one for one in described if one.condition == "criterion random"]
    assert random.half == pytest.approx(2.200985 * values.std(ddof=1) / math.sqrt(12), rel=1e-5)  # 95 %, 11 degrees


def test_pairs_are_recounted_from_the_curves() -> None:
    _, trials, networks = make(Recipe(effect=0.1, spread=0.4, failed=0))
    found = count_pairs(network_areas(trials, networks), trials)
    earlier = 0
    for _, rows in networks.groupby(["trial", "network"]):
        arms = {arm: auc(curve.sort_values("level").to_dict("records")) for arm, curve in rows.groupby("arm")}
        earlier += arms["replicate"] < arms["control"]
    assert (found.total, found.earlier, found.later) == (120, earlier, 120 - earlier)
    assert 20 < earlier < 120


def test_pairs_leave_out_networks_that_did_not_interpolate_and_count_ties_apart() -> None:
    _, trials, networks = make(Recipe(noise=(0.5,), widths=(64,), criteria=("random",), failed=0))
    networks.loc[(networks["network"] == 0) & (networks["arm"] == "replicate"), "interpolated"] = False
    clean = networks[networks["arm"] == "control"].set_index(["network", "level"])["train_accuracy"]
    twin = (networks["arm"] == "replicate") & (networks["network"] == 1)
    networks.loc[twin, "train_accuracy"] = [clean[(1, level)] for level in networks.loc[twin, "level"]]
    found = count_pairs(network_areas(trials, networks), trials)
    assert (found.total, found.excluded_count, found.ties) == (4, 1, 1)


@pytest.mark.parametrize(
    ("recipe", "verdict"),
    [
        (Recipe(), "supported"),
        (Recipe(effect=-0.8), "refuted"),
        (Recipe(effect=0.15, spread=0.3, noise=(0.5,)), "open"),
        (Recipe(effect=0.0), "refuted"),
    ],
)
def test_the_verdict_follows_the_contrast(recipe: Recipe, verdict: str) -> None:
    found = found_in(recipe)
    assert found.finding_of(EARLIER).verdict == verdict
    assert found.paragraphs()[0].startswith(f"{verdict.capitalize()}: Networks that memorised noisy labels break")


def test_conditions_that_disagree_in_sign_are_told() -> None:
    config, trials, networks = make()
    trials.loc[trials["data.label_noise"] == 0.25, "contrast/auc"] *= -1
    assert "The sign differs between conditions." in judged(config, trials, networks).as_text()
    assert "The sign differs" not in found_in().as_text()


def test_signs_of_numbers_about_0_are_no_disagreement() -> None:
    config, trials, networks = make(Recipe(effect=0.0))
    trials["contrast/auc"] -= trials["contrast/auc"].mean()
    trials.loc[trials["data.label_noise"] == 0.25, "contrast/auc"] -= 0.01
    found = judged(config, trials, networks)
    conditions = found.conditions(EARLIER)
    assert {one.estimate > 0 for one in conditions if one.estimate is not None} == {True, False}
    assert "The sign differs" not in found.as_text()


def test_of_two_trials_the_networks_are_the_units_and_it_says_so() -> None:
    found = found_in(Recipe(noise=(1.0,), widths=(64,), criteria=("magnitude_l2", "random"))).finding_of(EARLIER)
    assert (found.n, found.unit) == (10, "network")
    assert "10 networks, all of them above 0" in found.sentence


def test_only_complete_design_trials_count() -> None:
    config, trials, networks = make()
    trials.loc[trials["number"] < 4, "role"] = "explore"
    trials.loc[trials["number"] == 5, "state"] = "PRUNED"
    found = judged(config, trials, networks)
    assert (found.counted, found.finding_of(EARLIER).n) == (19, 19)
    assert found.notes[0] == "1 trial failed and is not counted."
    assert found.notes[1].startswith("4 trials that somebody, a sampler or a scheduler chose are a selection")


def test_what_fresh_networks_show_as_well_may_be_relearning() -> None:
    config, trials, networks = make(Recipe(scratch=True, base=RECOVERY))
    trials["contrast/retained"] = 0.2 + 0.01 * trials["number"] % 3
    found = judged(config, trials, networks)
    assert found.finding_of(FRESH).verdict == "supported"
    assert "relearning" not in found.as_text()
    trials["contrast/retained"] = [0.1 * (-1) ** number for number in trials["number"]]
    found = judged(config, trials, networks)
    assert (found.finding_of(EARLIER).verdict, found.finding_of(FRESH).verdict) == ("supported", "open")
    assert "so what breaks earlier may be relearning and not the compressed network." in found.as_text()
    assert FRESH not in {one.claim for one in found_in().findings}, "nothing is subtracted where nothing is retrained"


def test_continuous_noise_is_grouped_in_bins() -> None:
    _, trials, _ = make()
    trials = trials[trials["state"] == "COMPLETE"]
    trials["data.label_noise"] = np.linspace(0.02, 0.98, len(trials))
    groups = conditions(trials)
    assert len(groups) == 5
    assert sum(len(group.trials) for group in groups) == 24


@pytest.mark.parametrize("what", ["empty", "no columns", "failed only", "no networks", "no metrics"])
def test_absences_are_said_never_raised(what: str) -> None:
    config, trials, networks = make()
    if what == "empty":
        trials, networks = trials.head(0), networks.head(0)
    elif what == "no columns":
        trials, networks = trials.iloc[:0, :0], networks.iloc[:0, :0]
    elif what == "failed only":
        trials, networks = trials[trials["state"] == "FAILED"], networks.iloc[:0, :0]
    elif what == "no networks":
        networks = pd.DataFrame({"trial": pd.Series(dtype="int64")})
    else:
        trials = trials.drop(columns=[name for name in trials.columns if "/" in name])
    found = judged(config, trials, networks)
    assert all(one.sentence.endswith(".") for one in found.findings)
    json.dumps(found.as_dict(), allow_nan=False)
    expected = "supported" if what == "no networks" else "undefined"
    assert found.finding_of(EARLIER).verdict == expected
    if expected == "undefined":
        assert "2 are needed" in found.finding_of(EARLIER).reason


def test_what_is_undefined_says_why() -> None:
    config, trials, networks = make(Recipe(noise=(0.5,), failed=0))
    trials["contrast/auc"] = math.nan
    trials["train/interpolated"], trials["control/train/interpolated"] = 1.0, 1.0
    assert "a curve that ends before the ratio" in judged(config, trials, networks).finding_of(EARLIER).reason
    trials["train/interpolated"] = 0.0
    assert "8 left out (no network fitted its labels)" in judged(config, trials, networks).finding_of(EARLIER).reason


def test_scratch_networks_borrow_the_dense_end_of_their_curve() -> None:
    _, trials, networks = make(Recipe(scratch=True, noise=(1.0,), widths=(64,), criteria=("random",), failed=0))
    whole = network_areas(trials, networks)
    cut = networks[~(networks["arm"].str.startswith("scratch") & (networks["level"] == 0))]
    borrowed = network_areas(trials, cut)
    assert len(whole) == len(borrowed) == 20
    pd.testing.assert_series_equal(whole["auc"], borrowed["auc"])


def test_of_true_labels_it_is_described_how_far_networks_compress() -> None:
    config, trials, networks = make(Recipe(noise=(0.0,), widths=(64, 96, 160), control=False, failed=0))
    trials["compressibility/auc"] = [0.6, 0.62, 0.64, 0.4, 0.41, 0.42]
    found = judged(config, trials, networks)
    assert {one.claim for one in found.findings} == {FOLLOWS, "how_far_networks_compress"}
    first, second = found.conditions("how_far_networks_compress")
    assert (first.condition, second.condition) == ("criterion magnitude_l2", "criterion random")
    assert first.half == pytest.approx(4.302653 * 0.02 / math.sqrt(3), rel=1e-5)
    assert first.brief == "0.62 ± 0.05, 3 trials"
    assert "  criterion random: 0.41 ± 0.02, 3 trials" in found.as_text()


def test_what_met_the_same_networks_is_held_against_the_best_in_pairs() -> None:
    config, trials, networks = make(Recipe(noise=(0.0,), widths=(64,), control=False, failed=0))
    trials["cell"] = networks["cell"] = "cell 0"
    found = judged(config, trials, networks).conditions("how_far_networks_compress")
    assert [one.unit for one in found] == ["network", "network"]
    assert found[0].behind is None
    assert found[1].behind is not None
    means = {one.condition: one.estimate or 0.0 for one in found}
    assert found[1].behind[0] == pytest.approx(means[found[0].condition] - means[found[1].condition])
    assert "behind the first, paired" in found[1].brief


def test_inputs_of_a_distillation_are_asked_one_by_one() -> None:
    config, trials, networks = distilled()
    found = judged(config, trials, networks)
    names = {transfer: f"{EARLIER}_{transfer}" for transfer in ("train", "gaussian", "noise")}
    assert {name: found.finding_of(name).verdict for name in names.values()} == {
        names["train"]: "supported",
        names["gaussian"]: "supported",
        names["noise"]: "refuted",
    }
    assert found.finding_of(names["train"]).says.startswith("Fitted on the training images: networks that memorised")
    assert found.finding_of(names["train"]).unit == "network"
    with pytest.raises(KeyError):
        found.finding_of(EARLIER)
    lost = {one.claim: one.reason for one in found.findings if one.claim.startswith("levels_survived")}
    assert set(lost) == {"levels_survived_by_transfer", "levels_survived_by_twins_by_transfer"}


def test_ways_that_change_the_question_are_never_pooled() -> None:
    base = {"data.label_noise": 1.0, "compression.recovery_epochs": 4}
    span = {"compression.method": Choices(values=("prune", "merge")), "compression.criterion": ["random", "fpgm"]}
    asked = {claim.name: claim for claim in usual_claims(SearchSpace(base=base | RECOVERY, span=span))}
    assert {f"{EARLIER}_prune", f"{EARLIER}_merge", f"{FRESH}_prune", "contrast_by_criterion"} <= set(asked)
    assert asked[f"{EARLIER}_merge"].where == {"compression.method": ("merge",)}


def test_a_placebo_that_fails_stands_first_and_one_that_holds_is_supported() -> None:
    config, trials, networks = make(Recipe(base={"data.noise_kind": "renamed"}, effect=0.0, spread=0.05))
    found = judged(config, trials, networks)
    assert found.finding_of("new_names_change_nothing").verdict == "supported"
    assert found.finding_of(EARLIER).verdict == "refuted"
    trials["contrast/auc"] += 0.3
    found = judged(config, trials, networks)
    assert found.paragraphs()[0].startswith("A placebo fails")
    assert found.paragraphs()[1].startswith("Refuted: Networks for which classes were only renamed")


@pytest.mark.parametrize("inputs", ["shuffled_pixels"])
def test_inputs_that_leave_a_rule_are_not_pooled_with_what_is_memorised(inputs: str) -> None:
    """Of the arms of Zhang et al. one shuffles all images alike: there is nothing to memorise."""
    config, trials, networks = make(Recipe(failed=0, noise=(1.0,)))
    _, others, more = make(Recipe(base={"data.inputs": inputs}, noise=(0.0,), effect=0.0, failed=0))
    others["number"], more["trial"] = others["number"] + 100, more["trial"] + 100
    both = pd.concat([trials, others], ignore_index=True)
    found = judged(config, both, pd.concat([networks, more], ignore_index=True)).finding_of(EARLIER)
    alone = judged(config, trials, networks).finding_of(EARLIER)
    assert (found.estimate, found.n) == (alone.estimate, alone.n)
    assert [group.label for group in conditions(both) if group.placebo] == [
        "noise 0, inputs with shuffled pixels (placebo)"
    ]


@pytest.mark.parametrize("inputs", ["random_pixels", "gaussian"])
def test_inputs_without_a_rule_are_memorised_whatever_the_labels(inputs: str) -> None:
    config, trials, networks = make(Recipe(base={"data.inputs": inputs}, noise=(0.0,), failed=0))
    assert judged(config, trials, networks).finding_of(EARLIER).n == len(trials)
    assert not any(group.placebo for group in conditions(trials))


def test_noise_on_inputs_that_leave_a_rule_is_memorised_and_an_unknown_kind_is_no_placebo() -> None:
    _, trials, _ = make(Recipe(base={"data.inputs": "shuffled_pixels"}, failed=0))
    assert not any(group.placebo for group in conditions(trials))
    _, trials, _ = make(Recipe(failed=0))
    trials["data.noise_kind"] = "of_their_own"
    (first, *_) = conditions(trials)
    assert (first.placebo, first.label) == (False, "noise 0.25, of their own")


def test_placebo_trials_never_enter_the_pooled_contrast() -> None:
    config, trials, networks = make()
    _, placebo, _ = make(Recipe(base={"data.noise_kind": "renamed"}, effect=0.0, failed=0))
    placebo["number"] += 100
    both = pd.concat([trials, placebo], ignore_index=True)
    assert judged(config, both, networks).finding_of(EARLIER).n == 24
    assert [group.label for group in conditions(both[both["state"] == "COMPLETE"])][-1] == (
        "noise 1, classes renamed (placebo)"
    )


def test_what_everything_is_conditional_on_is_said() -> None:
    config, trials, networks = make()
    trials["compressibility/log2_ratio_limit"] = 4.0
    trials["contrast/pairs"] = [5.0, 4.0] * 12 + [math.nan]
    found = judged(config, trials, networks)
    assert "n = 24 trials laid out by design × 5 networks, the trial is the unit" in found.caveat
    assert "compression ratio from 0 to 4" in found.caveat
    assert "12 pairs of twins left out because a network did not interpolate" in " ".join(found.notes)
