"""Do the interval and the tests keep their promises on data where the truth is known?

Seeded; tolerances are 4.5 standard errors of a simulated share: a change of seed raises a false alarm about 7 times in
a million, for each assertion.
"""

import numpy as np
import pytest

from trainables import statistics
from trainables.statistics import kendall_within_strata, mean_ci95


def error_of(share: float, n: int) -> float:
    return 4.5 * float(np.sqrt(share * (1 - share) / n))


@pytest.mark.parametrize("replicates", [3, 5, 8])
def test_the_t_interval_covers_the_truth_in_95_of_100(replicates: int) -> None:
    runs = 4000
    values = np.random.default_rng(replicates).normal(1.0, 0.3, (runs, replicates))
    covered = 0
    for row in values:
        mean, half, _ = mean_ci95(row)
        assert half is not None
        covered += abs(mean - 1.0) <= half
    assert abs(covered / runs - 0.95) <= error_of(0.95, runs)


def test_kendall_within_strata_holds_its_level_when_strata_drive_both_sides() -> None:
    runs, random, strata = 60, np.random.default_rng(0), np.repeat(np.arange(4), 5)
    rejected = 0
    for run in range(runs):
        shift = 5.0 * strata
        x, y = shift + random.normal(size=20), shift + random.normal(size=20)
        result = kendall_within_strata(x, y, strata.tolist(), seed=run)
        assert result.p is not None
        rejected += result.p <= 0.05
    # Binomial(60, 0.05): above 11 about 4 times in 100,000 draws.
    assert rejected <= 11


@pytest.mark.parametrize(("trials", "runs"), [(24, 200), (120, 100)])
def test_kendall_holds_its_level_where_a_continuous_condition_drives_both_sides(
    trials: int, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 199 permutations are as valid as 9,999, only coarser.
    monkeypatch.setattr(statistics, "_FEWEST_PERMUTATIONS", 199)
    monkeypatch.setattr(statistics, "_MOST_PERMUTATIONS", 199)
    random, rejected, taus = np.random.default_rng(trials), 0, []
    for run in range(runs):
        noise = random.uniform(0, 1, trials)
        x = 0.2 + 0.7 * np.exp(-2.5 * noise) + random.normal(0, 0.05, trials)
        y = 0.9 * (1 - np.exp(-2 * noise)) + random.normal(0, 0.01, trials)
        result = kendall_within_strata(x, y, ["all"] * trials, noise, seed=run)
        assert result.p is not None
        assert result.tau is not None
        rejected += result.p <= 0.05
        taus.append(result.tau)
    assert abs(rejected / runs - 0.05) <= error_of(0.05, runs)
    # The deviation of τ without a relation is about 2/(3√n); five standard errors of its mean.
    assert abs(float(np.mean(taus))) <= 5 * 2 / (3 * np.sqrt(trials * runs))
