"""Evidence about means: against independent packages, and its own promises."""

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from study.answer.associating import centre_within_strata, permutation_ps, rank_within_strata, slope_within_strata
from study.answer.evidence import (
    Scale,
    log_anytime_t,
    log_bets,
    log_evidence,
    sequence,
    t_interval,
    t_p,
    trusts_t,
    welch,
)

# Made by ville, savvi, scipy and statsmodels (their versions are inside).
ORACLES: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "evidence" / "oracles.json").read_text())
MEANS = ORACLES["means"]
SIGNED = Scale(bounds=(-1.0, 1.0))


@pytest.mark.parametrize("name", MEANS)
def test_betting_is_that_of_ville(name: str) -> None:
    case = MEANS[name]
    found = log_bets(np.array(case["values"]), case["null"], (-1, 1))
    assert found == pytest.approx(case["betting"], abs=1e-9)


@pytest.mark.parametrize("name", MEANS)
def test_the_anytime_t_is_that_of_savvi_where_the_mean_lies_above(name: str) -> None:
    case = MEANS[name]
    values, null = np.array(case["values"]), case["null"]
    found = log_anytime_t(values, null)[1:]
    above = (np.cumsum(values - null) > 0)[1:]
    assert found[above] == pytest.approx(np.array(case["anytime_t_two_sided"])[above], abs=1e-8)
    n = np.arange(2, len(values) + 1)
    assert found[~above] == pytest.approx(-0.5 * np.log(n[~above] + 1))


@pytest.mark.parametrize("name", MEANS)
def test_students_t_is_that_of_scipy(name: str) -> None:
    case = MEANS[name]
    values = np.array(case["values"])
    assert t_p(values, case["null"]) == pytest.approx(case["t_p"], rel=1e-9)
    assert t_interval(values, 0.025) == pytest.approx(case["t_interval"], rel=1e-9)


def test_welchs_t_is_that_of_scipy() -> None:
    case = ORACLES["welch"]
    p, low, high = welch(np.array(case["first"]), np.array(case["second"]), 0.0, 0.025, 0.0)
    assert (p, low, high) == pytest.approx((case["p"], *case["interval"]), rel=1e-9)


def test_association_is_the_regression_of_ranks_within_strata() -> None:
    case = ORACLES["association"]
    x, y = np.array(case["x"]), np.array(case["y"])
    found = slope_within_strata(x, -y, case["strata"])
    assert found.estimate == pytest.approx(-case["slope"])
    assert found.t_p(0.0) == pytest.approx(case["t_p_less"], rel=1e-9)
    assert found.t_interval(0.025) == pytest.approx([-end for end in reversed(case["t_interval"])])
    assert found.log_evidence(0.0) == pytest.approx(case["log_e_two_sided"])
    assert found.sequence(math.log(20)) == pytest.approx([-end for end in reversed(case["sequence"])])
    up, down = permutation_ps(x, y, case["strata"])
    assert down == pytest.approx(case["t_p_less"], abs=0.002)
    assert up == pytest.approx(1 - case["t_p_less"], abs=0.002)
    assert permutation_ps(x, -y, case["strata"]) == (down, up)


def test_permutation_p_of_one_stratum_is_that_of_scipy() -> None:
    x, y = np.array([1.0, 2, 3, 4, 5, 6, 7]), np.array([2.0, 1, 4, 3, 7, 5, 6])
    ranks = lambda pair: float(np.dot(stats.rankdata(pair), stats.rankdata(y)))  # noqa: E731
    exact = stats.permutation_test((x,), ranks, permutation_type="pairings", alternative="greater", n_resamples=10_000)
    assert permutation_ps(x, y, [0] * 7)[0] == pytest.approx(exact.pvalue, abs=0.003)


def anytime_t_interval(values: npt.NDArray[np.float64], log_threshold: float) -> tuple[float, float]:
    """In closed form: the means that the anytime t does not reject after all values; unbounded while they are too few.

    Args:
        values: [n].
        log_threshold: log(1/α).
    """
    n, mean, left = len(values), float(np.mean(values)), float(np.sum((values - np.mean(values)) ** 2))
    share = 1 - math.exp((-2 * log_threshold - math.log(n + 1)) / n)
    free = n * n - share * n * (n + 1)
    if free <= 0:
        return -math.inf, math.inf
    half = math.sqrt(share * (n + 1) * left / free)
    return mean - half, mean + half


def test_the_ends_of_a_sequence_are_where_its_e_value_crosses() -> None:
    values = np.array(MEANS["contrasts/0.0"]["values"])
    threshold = math.log(40)
    low, high = anytime_t_interval(values, threshold)
    assert log_anytime_t(values, low)[-1] == pytest.approx(threshold)
    assert log_anytime_t(-values, -high)[-1] == pytest.approx(threshold)
    for only in ("", "betting", "t"):
        low, high = sequence(values, threshold, SIGNED, only=only)
        assert low < values.mean() < high
        path = {"": log_evidence(values, low - 1e-6, SIGNED), "betting": log_bets(values, low - 1e-6, (-1, 1))}
        assert path.get(only, log_anytime_t(values, low - 1e-6)).max() >= threshold
        path = {"": log_evidence(values, low + 1e-4, SIGNED), "betting": log_bets(values, low + 1e-4, (-1, 1))}
        assert path.get(only, log_anytime_t(values, low + 1e-4)).max() < threshold


def test_five_units_never_bound_the_anytime_t_at_one_in_forty() -> None:
    five = np.array([0.29, 0.3, 0.31, 0.3, 0.29])
    assert anytime_t_interval(five, math.log(40)) == (-math.inf, math.inf)  # its e is at most 36
    assert anytime_t_interval(five, math.log(35))[0] > 0


def test_the_anytime_t_is_not_trusted_where_it_knows_too_little() -> None:
    eight = np.array([0.2, 0.3, 0.25, 0.34, 0.28, 0.22, 0.3, 0.24])
    assert trusts_t(eight, SIGNED).tolist() == [False] * 7 + [True]
    assert not trusts_t(np.append(eight, -0.9), SIGNED)[-1], "skewed towards the other side"
    assert trusts_t(-np.append(eight, -0.9), SIGNED)[-1]
    assert not trusts_t(np.full(20, 0.3), SIGNED).any(), "no spread"
    assert not trusts_t(eight, Scale(bounds=(-1, 1), resolution=0.1)).any(), "less spread than one example makes"
    assert not trusts_t(eight, Scale(bounds=(0, 1), is_share=True)).any()


def test_signs_are_bet_on_where_there_are_no_bounds() -> None:
    six = np.array([3.0, 1.0, 400.0, 2.0, 5.0, 7.0])
    assert math.exp(log_bets(six, 0.0, None)[-1]) == pytest.approx(1.9**6)
    assert log_bets(six, 1.0, None)[1] == pytest.approx(math.log(1.9)), "a value at the null is no side"


def test_a_null_outside_the_bounds_is_settled() -> None:
    values = np.array([0.5, 0.6])
    assert log_bets(values, -0.1, (0, 1)).tolist() == [math.inf] * 2
    assert log_bets(values, 1.2, (0, 1)).tolist() == [-math.inf] * 2


def test_studies_are_computed_at_once_as_one_by_one() -> None:
    many = np.random.default_rng(0).normal(0.1, 0.2, (5, 30)).clip(-1, 1)
    for function in (lambda v: log_evidence(v, 0.0, SIGNED), lambda v: trusts_t(v, SIGNED).astype(float)):
        assert np.array_equal(function(many), np.stack([function(row) for row in many]))


def test_adding_units_never_takes_back_what_was_excluded() -> None:
    values = np.random.default_rng(3).normal(0.2, 0.2, 60).clip(-1, 1)
    ends = [sequence(values[:n], math.log(40), SIGNED) for n in (10, 20, 40, 60)]
    lows, highs = [low for low, _ in ends], [high for _, high in ends]
    assert lows == sorted(lows)
    # both ends only ever move inwards, up to the precision of the search
    assert all(later <= before + 1e-9 for before, later in itertools.pairwise(highs))


def test_ranks_that_agree_by_chance_in_small_strata_are_no_evidence() -> None:
    pairs = np.array([0.0, 1.0] * 5)
    strata = [place // 2 for place in range(10)]
    found = slope_within_strata(pairs, pairs, strata)
    assert (found.estimate, found.n, found.strata) == (pytest.approx(1.0), 10, 5)
    assert found.log_evidence(0.0) == -math.inf, "one study in 32 has that"
    assert found.sequence(math.log(40)) == (-math.inf, math.inf)
    assert slope_within_strata(np.arange(10.0), np.arange(10.0), [0] * 10).log_evidence(0.0) > math.log(40)


def test_values_that_are_all_the_same_for_long_do_not_shut_the_mean_out() -> None:
    """Of numbers without known bounds: sixteen counts at the most there is, then some below."""
    values = np.array([-56.0] * 12 + [-52.0, -56.0, -54.0, -56.0])
    low, high = sequence(values, math.log(40), Scale())
    assert low <= values.mean() <= high
    assert sequence(values[:12], math.log(40), Scale()) == (-math.inf, math.inf)


def test_ranks_within_strata_are_those_of_scipy_centred_and_scaled() -> None:
    """Ties, strata of one, strata of one value, in any order, named by anything."""
    random = np.random.default_rng(5)
    strata = [("a", int(code)) for code in random.integers(0, 6, size=60)] + [("alone", 0), ("same", 0), ("same", 0)]
    values = np.r_[random.integers(0, 5, size=60) / 4, 0.5, 7.0, 7.0]
    mixed = random.permutation(len(strata))
    strata, values = [strata[place] for place in mixed], values[mixed]
    found, counted = rank_within_strata(values, strata)
    for name in set(strata):
        rows = [place for place, stratum in enumerate(strata) if stratum == name]
        ranks = stats.rankdata(values[rows])
        spread = np.std(ranks)
        expected = (ranks - ranks.mean()) / spread if spread > 0 else np.zeros(len(rows))
        assert found[rows] == pytest.approx(expected, abs=1e-12), name
    assert counted == sum(strata.count(name) > 1 for name in set(strata))
    assert rank_within_strata(np.zeros(0), [])[1] == 0
    less, same = centre_within_strata(values, strata)
    assert same == counted
    assert less.sum() == pytest.approx(0, abs=1e-12)
    assert less[strata.index(("alone", 0))] == 0
