"""Intervals and tests against scipy, scikit-learn and enumeration."""

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from trainables.statistics import cohen_kappa, kendall_within_strata, mean_ci95


@pytest.mark.parametrize("n", [3, 5, 24])
def test_interval_is_scipys(n: int) -> None:
    values = np.random.default_rng(n).normal(2, 3, n)
    mean, half, count = mean_ci95(values)
    low, high = scipy.stats.t.interval(0.95, n - 1, loc=values.mean(), scale=scipy.stats.sem(values))
    assert half is not None
    assert (mean - half, mean + half, count) == pytest.approx((low, high, n))


def test_no_interval_below_three_values_and_no_mean_of_none() -> None:
    assert mean_ci95([1.0, 2.0]) == (1.5, None, 2)
    with pytest.raises(ValueError, match="at least one"):
        mean_ci95([])
    with pytest.raises(ValueError, match="finite"):
        mean_ci95([1.0, float("nan")])


def test_kendall_in_one_stratum_is_scipys_tau_b_with_ties() -> None:
    random = np.random.default_rng(2)
    x, y = random.integers(0, 6, 30).astype(float), random.integers(0, 6, 30).astype(float)
    result = kendall_within_strata(x, y, ["all"] * 30)
    expected = scipy.stats.kendalltau(x, y)
    assert result.tau == pytest.approx(expected.statistic)
    assert result.pairs == 30 * 29 // 2
    assert result.p == pytest.approx(expected.pvalue, abs=0.03)


def test_kendall_never_compares_across_strata() -> None:
    x = np.array([*range(8), *range(100, 108)], dtype=float)
    y = np.array([*range(8, 0, -1), *range(208, 200, -1)], dtype=float)
    result = kendall_within_strata(x, y, [0] * 8 + [1] * 8)
    assert (result.tau, result.pairs, result.strata) == (pytest.approx(-1.0), 56, 2)
    assert result.p is not None
    assert result.p < 0.001
    pooled = kendall_within_strata(x, y, [0] * 16)
    assert pooled.tau is not None
    assert pooled.tau > 0, "the shift between strata, which drives both sides"


def test_kendall_with_a_continuous_condition_compares_what_the_condition_leaves() -> None:
    random = np.random.default_rng(4)
    noise = random.uniform(0, 1, 40)
    own = random.normal(size=40)
    x, y = 5 * np.exp(-2 * noise) + 0.1 * own, 30 * noise + own
    raw = kendall_within_strata(x, y, ["a"] * 40)
    result = kendall_within_strata(x, y, ["a"] * 40, conditions=noise)
    assert (raw.tau or 0) < -0.8, "the condition drives both sides, in opposite directions"
    assert (result.tau or 0) > 0.8, "what it leaves agrees"
    assert result.pairs == 40 * 39 // 2


def test_kendall_of_what_a_condition_wholly_explains_is_undefined() -> None:
    noise = np.linspace(0, 1, 20)
    result = kendall_within_strata(noise, np.random.default_rng(0).normal(size=20), [0] * 20, conditions=noise)
    assert result.tau is None


def test_kendall_is_undefined_below_twenty_pairs_and_when_all_is_tied() -> None:
    few = kendall_within_strata([1.0, 2.0, 3.0] * 2, [1.0, 2.0, 3.0] * 2, [0, 0, 0, 1, 1, 1])
    assert (few.tau, few.p, few.pairs) == (None, None, 6)
    assert "6 pairs" in (few.reason or "")
    tied = kendall_within_strata([1.0] * 10, list(range(10)), [0] * 10)
    assert tied.tau is None
    assert "tied" in (tied.reason or "")


def test_kappa_is_scikit_learns() -> None:
    random = np.random.default_rng(3)
    first = random.integers(0, 4, 200)
    second = np.where(random.random(200) < 0.6, first, random.integers(0, 4, 200))
    assert cohen_kappa(confusion_matrix(first, second)) == pytest.approx(cohen_kappa_score(first, second))
    assert cohen_kappa(np.array([[7, 0], [0, 0]])) is None
