"""Do the interval and the tests keep their promises on data where the truth is known?

Seeded; tolerances are 4.5 standard errors of a simulated share: a change of seed raises a false alarm about 7 times in
a million, for each assertion.
"""

import numpy as np
import pytest

from trainables.statistics import kendall_within_strata, mean_ci95, sign_flip_p


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


def test_the_sign_flip_test_rejects_a_true_null_in_at_most_5_of_100() -> None:
    runs = 2000
    values = np.random.default_rng(0).normal(0, 1, (runs, 8))
    share = float(np.mean([sign_flip_p(row) <= 0.05 for row in values]))
    # With 8 values p is a multiple of 2/256, so the exact level is 12/256.
    assert abs(share - 12 / 256) <= error_of(12 / 256, runs)


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
