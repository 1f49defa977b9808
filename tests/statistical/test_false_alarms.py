"""False alarms and coverage of what decides claims, in simulated studies that are looked at after every block.

Each promise is a probability of at most .025 (per claim), so that of 1,000 studies more than 46 break it with
probability below 1e-4: that often the test itself is wrong, times its seven cases. `null_studies` runs 10,000.
"""

import numpy as np
import pytest
from scipy.stats import binom

from study.answer.associating import slope_within_strata
from study.answer.evidence import ALPHA
from tests.statistical import null_studies as simulated

STUDIES = 1_000
MOST = int(binom.isf(1e-4, STUDIES, ALPHA))


@pytest.mark.parametrize("shape", simulated.SHAPES)
def test_a_claim_that_is_not_so_is_seldom_supported(shape: str) -> None:
    rates = simulated.false_alarms_of_a_mean(shape, STUDIES)
    assert rates["decides"].hits <= MOST
    assert rates["signs (no bounds)"].hits <= MOST
    assert simulated.misses_of_the_sequence(shape, STUDIES).hits <= int(binom.isf(1e-4, STUDIES, 2 * ALPHA))


def test_nor_in_other_designs() -> None:
    assert simulated.false_alarms_of_a_difference(STUDIES).hits <= MOST
    assert simulated.false_alarms_of_an_order(STUDIES).hits <= MOST
    for strata, alpha in ((3, ALPHA), (6, ALPHA / 5)):
        assert simulated.false_alarms_of_an_association(STUDIES, strata, alpha).hits <= int(
            binom.isf(1e-4, STUDIES, alpha)
        )
    assert simulated.false_alarms_of_a_family(STUDIES).hits <= MOST


def test_skewed_values_would_alarm_without_the_guard() -> None:
    values = simulated.means("−lognormal(.75)", STUDIES)
    unguarded = simulated.decided(simulated.log_anytime_t(values, 0.0))
    assert (unguarded < 61).sum() > MOST, "so the test can fail"


def test_the_default_study_is_decided_within_half_its_plan() -> None:
    soon = simulated.units_until_decided(STUDIES, family=5)
    assert soon["median"] <= 12


def test_the_simulated_association_is_that_of_the_engine() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 3, 4))
    strata = [stratum for stratum in range(3) for _ in range(4)]
    found = slope_within_strata(x.ravel(), y.ravel(), strata)
    ranks = [simulated._ranked(values[None], 4)[0].ravel() for values in (x, y)]
    assert (found.n, found.strata, found.xx) == (12, 3, pytest.approx(12))
    assert found.xy == pytest.approx(ranks[0] @ ranks[1])
