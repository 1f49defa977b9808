"""The answer: numbers against independent ones, sentences that follow the interval, absences that are said."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from study.answer import answer
from study.answer.selection import conditions
from tests.unit.report_frames import Recipe, auc, make


def test_contrast_is_the_mean_over_trials_with_its_t_interval() -> None:
    _, trials, networks = make()
    found = answer(trials, networks)
    for level in found.levels:
        values = trials.loc[trials["data.label_noise"].eq(level.noise), "contrast/auc"].dropna()
        half = 2.364624 * values.std(ddof=1) / math.sqrt(8)  # t, 7 degrees of freedom
        assert level.trials == 8
        assert level.mean == pytest.approx(values.mean())
        assert level.ci95 == pytest.approx(half, rel=1e-5)
    assert found.overall.trials == 24
    assert found.overall.mean == pytest.approx(trials["contrast/auc"].mean())


def test_pairs_are_recounted_from_the_curves() -> None:
    _, trials, networks = make(Recipe(effect=0.1, spread=0.4))
    found = answer(trials, networks)
    earlier = 0
    for _, rows in networks.groupby(["trial", "network"]):
        arms = {arm: auc(curve.sort_values("level").to_dict("records")) for arm, curve in rows.groupby("arm")}
        earlier += arms["replicate"] < arms["control"]
    assert found.overall.pairs == 120
    assert found.overall.earlier == earlier
    assert 20 < earlier < 120
    assert found.overall.later == 120 - earlier


def test_pairs_leave_out_networks_that_did_not_interpolate_and_count_ties_apart() -> None:
    _, trials, networks = make(Recipe(noise=(0.5,), widths=(64,), criteria=("random",)))
    networks.loc[(networks["network"] == 0) & (networks["arm"] == "replicate"), "interpolated"] = False
    clean = networks[networks["arm"] == "control"].set_index(["network", "level"])["train_accuracy"]
    twin = (networks["arm"] == "replicate") & (networks["network"] == 1)
    networks.loc[twin, "train_accuracy"] = [clean[(1, level)] for level in networks.loc[twin, "level"]]
    overall = answer(trials, networks).overall
    assert (overall.pairs, overall.excluded, overall.ties) == (4, 1, 1)


@pytest.mark.parametrize(
    ("recipe", "verdict", "start"),
    [
        (Recipe(), "yes", "Yes: "),
        (Recipe(effect=-0.8), "no", "No, the other way round: "),
        (Recipe(effect=0.0, spread=0.3, noise=(0.5,)), "unclear", "Can’t tell whether"),
        (Recipe(control=False), "missing", "No answer"),
    ],
)
def test_the_first_sentence_follows_the_interval(recipe: Recipe, verdict: str, start: str) -> None:
    _, trials, networks = make(recipe)
    found = answer(trials, networks)
    assert found.verdict == verdict
    assert found.sentences[0].startswith(start)
    if verdict == "unclear":
        assert "includes 0" in found.sentences[0]


def test_conditions_that_disagree_in_sign_are_told() -> None:
    _, trials, networks = make()
    quarter = trials["data.label_noise"] == 0.25
    trials.loc[quarter, "contrast/auc"] *= -1
    assert "sign differs between conditions" in answer(trials, networks).sentences[0]


def test_few_trials_give_no_claim() -> None:
    _, trials, networks = make(Recipe(noise=(1.0,), widths=(64,), criteria=("magnitude_l2", "random")))
    found = answer(trials, networks)
    assert found.overall.trials == 2
    assert found.overall.ci95 is None
    assert found.overall.p is None
    assert found.verdict == "unclear"
    assert "needs 3" in found.sentences[0]


def test_four_trials_say_no_yes_however_narrow_their_interval_is() -> None:
    _, trials, networks = make(Recipe(noise=(1.0,)))
    four = trials.head(4)
    found = answer(four, networks[networks["trial"].isin(four["number"])])
    assert found.overall.excludes_zero
    assert found.overall.p == pytest.approx(2 / 2**4)
    assert found.verdict == "unclear"
    assert "below 6 trials it can’t" in found.sentences[0]


def test_only_complete_design_trials_count() -> None:
    _, trials, networks = make()
    trials.loc[trials["number"] < 4, "role"] = "explore"
    trials.loc[trials["number"] == 5, "state"] = "PRUNED"
    found = answer(trials, networks)
    assert found.counted == 19
    assert found.overall.trials == 19
    assert found.overall.pairs == 95
    assert any("4 trials that a sampler or scheduler selected" in text for text in found.missing)
    assert any(text.startswith("1 trial failed") for text in found.missing)


def test_relearning_makes_a_contrast_uncertain() -> None:
    recovery = {"compression.recovery": "finetune", "compression.recovery_epochs": 4}
    _, trials, networks = make(Recipe(scratch=True, base=recovery))
    trials["contrast/retained"] = 0.2 + 0.01 * trials["number"] % 3
    assert answer(trials, networks).verdict == "yes"
    trials["contrast/retained"] = [0.1 * (-1) ** number for number in trials["number"]]
    found = answer(trials, networks)
    assert found.overall.verdict == "yes"
    assert found.verdict == "unclear"
    assert "relearning" in found.sentences[0]


def test_tracking_pools_pairs_within_noise_and_criterion_only() -> None:
    _, trials, networks = make()
    tracking = answer(trials, networks).tracking
    assert tracking.within == ("noise", "criterion")
    assert tracking.pairs == 36  # 6 strata of 4 widths


def test_depth_makes_strata_only_where_networks_are_retrained() -> None:
    _, trials, networks = make()
    trials["compression.depth"] = [6, 12] * 12 + [6]
    assert answer(trials, networks).tracking.pairs == 36
    trials["compression.recovery"] = "finetune"
    found = answer(trials, networks).tracking
    assert found.within == ("noise", "criterion", "depth")
    assert found.tau is None
    assert "20 are needed" in found.reason


@pytest.mark.parametrize(("sign", "verdict"), [(-1, "yes"), (1, "no")])
def test_tracking_verdict_is_the_sign_of_tau(sign: int, verdict: str) -> None:
    _, trials, networks = make()
    trials["gap/accuracy"] = sign * trials["compressibility/auc"]
    found = answer(trials, networks)
    assert found.tracking.tau == pytest.approx(sign)
    assert found.tracking.verdict == verdict


def test_tracking_compares_gaps_at_equal_fit_only() -> None:
    # One width did not interpolate, so that its gap is small and its area too: it would hide the correlation.
    _, trials, networks = make()
    trials["gap/accuracy"] = -trials["compressibility/auc"]
    narrow = (trials["model.width"] == 64) & (trials["state"] == "COMPLETE")
    trials.loc[narrow, "gap/accuracy"] = -9.0
    trials.loc[narrow, "compressibility/auc"] = 0.0
    trials["train/interpolated"] = 1.0
    assert answer(trials, networks).tracking.tau == pytest.approx(0, abs=0.1)
    trials.loc[narrow, "train/interpolated"] = 0.8
    found = answer(trials, networks).tracking
    assert (found.trials, found.excluded, found.pairs, found.tau) == (18, 6, 18, None)


def test_the_gap_of_renamed_classes_is_not_tracked() -> None:
    _, trials, networks = make(Recipe(base={"data.noise_kind": "renamed"}))
    found = answer(trials, networks)
    assert (found.tracking.trials, found.tracking.excluded) == (0, 24)
    assert "24 trials without a comparable gap left out" in found.sentences[1]


def test_an_undefined_rank_correlation_is_left_unsaid() -> None:
    _, trials, networks = make()
    trials["gap/accuracy"] = 0.3
    found = answer(trials, networks)
    assert found.tracking.tau is None
    assert "the same in all trials" in found.sentences[1]


def test_continuous_noise_is_grouped_in_bins() -> None:
    _, trials, _ = make()
    trials = trials[trials["state"] == "COMPLETE"]
    trials["data.label_noise"] = np.linspace(0.02, 0.98, len(trials))
    groups = conditions(trials)
    assert len(groups) == 5
    assert sum(len(group.trials) for group in groups) == 24


@pytest.mark.parametrize("what", ["empty", "no columns", "failed only", "no networks", "no metrics"])
def test_absences_are_said_never_raised(what: str) -> None:
    _, trials, networks = make()
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
    found = answer(trials, networks)
    assert all(sentence.endswith(".") for sentence in found.sentences)
    json.dumps(found.as_dict(), allow_nan=False)
    if what == "no networks":
        assert found.verdict == "yes"
        assert found.overall.pairs == 0
    else:
        assert found.verdict == "missing"
        assert found.sentences[0].startswith("No answer")


def test_scratch_networks_borrow_the_dense_end_of_their_curve() -> None:
    from study.answer.pairs import network_areas

    _, trials, networks = make(Recipe(scratch=True, noise=(1.0,), widths=(64,), criteria=("random",), failed=0))
    whole = network_areas(trials, networks)
    cut = networks[~(networks["arm"].str.startswith("scratch") & (networks["level"] == 0))]
    borrowed = network_areas(trials, cut)
    assert len(whole) == len(borrowed) == 20
    pd.testing.assert_series_equal(whole["auc"], borrowed["auc"])


def test_complete_trials_without_stored_networks_are_told() -> None:
    _, trials, networks = make()
    found = answer(trials, networks[networks["trial"] != 5])
    assert found.overall.pairs == 115
    assert any(text.startswith("1 complete trial without stored networks") for text in found.missing)


def test_where_all_labels_are_true_the_answer_is_how_far_networks_compress() -> None:
    _, trials, networks = make(Recipe(noise=(0.0,), widths=(64, 96, 160), control=False))
    trials["compressibility/auc"] = [0.6, 0.62, 0.64, 0.4, 0.41, 0.42, *[math.nan] * (len(trials) - 6)]
    found = answer(trials, networks)
    assert [(rank.label, rank.trials) for rank in found.ranking] == [("magnitude l2", 3), ("random", 3)]
    assert found.ranking[0].mean == pytest.approx(0.62)
    assert found.ranking[0].ci95 == pytest.approx(4.302653 * 0.02 / math.sqrt(3), rel=1e-5)
    assert "magnitude l2 0.62 ± 0.05; random 0.41 ± 0.02" in found.sentences[0]
    assert answer(*make()[1:]).ranking == ()


def test_without_instruments_true_labels_give_no_ranking() -> None:
    _, trials, networks = make(Recipe(noise=(0.0,), criteria=("random",), control=False))
    found = answer(trials, networks)
    assert found.ranking == ()
    assert "nothing was memorised" in found.sentences[0]


def test_a_ranking_loses_no_trial_whose_method_lacks_a_field() -> None:
    _, trials, networks = make(Recipe(noise=(0.0,), widths=(64,), criteria=("magnitude_l2",), failed=0))
    rows = [trials.iloc[0].to_dict() | {"number": number} for number in range(4)]
    for number, row in enumerate(rows):
        row["compression.method"] = "prune" if number < 2 else "distill"
        row["compression.distill.epochs"] = None if number < 2 else 10.0 * number
        row["compressibility/auc"] = 0.9 - number / 10
    ranks = answer(pd.DataFrame(rows), networks).ranking
    assert [(rank.label, rank.trials) for rank in ranks] == [("prune", 2), ("distill, 20.0", 1), ("distill, 30.0", 1)]


def test_a_contrast_that_curves_are_too_short_for_is_no_lack_of_fit() -> None:
    _, trials, networks = make(Recipe(noise=(0.5,), failed=0))
    trials["compressibility/log2_ratio_limit"] = 9.0
    trials["contrast/auc"] = math.nan
    found = answer(trials, networks)
    assert "their curves end before the ratio" in found.sentences[0]
    assert "did both a noisy network" not in found.sentences[0]
