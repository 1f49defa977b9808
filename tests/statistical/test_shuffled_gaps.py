"""A negative control: measures of a real shape, gaps shuffled within strata. None is found more often than promised.

Where no measure tracks the gap every one that is found is false, so a study with any has a share of false ones of 1:
that happens with probability at most .10, by p at the planned number and by e-values at any time. Of 200 studies more
than 37 do so with probability below 1e-4: that often the test itself is wrong, times its two cases.
"""

import numpy as np
import pytest
from scipy.stats import binom

from study.answer import associating
from study.answer.gap_associations import associations
from study.answer.gap_model import FALSE_SHARE
from study.answer.gap_units import Units

STUDIES, MEASURES, STRATA, EACH = 200, 20, 6, 4
MOST = int(binom.isf(1e-4, STUDIES, FALSE_SHARE))


def study(random: np.random.Generator, effect: float) -> Units:
    """24 units in 6 strata; measures depend on each other, as those of one network do, and all on the stratum."""
    n = STRATA * EACH
    strata = np.repeat(np.arange(STRATA), EACH)
    shared = random.normal(size=n)
    values = 2.0 * strata + shared + random.normal(size=(MEASURES, n))
    gap = strata + effect * shared + random.normal(size=n)
    names = tuple(f"measure {place}" for place in range(MEASURES))
    return Units(names, values, gap, np.zeros(n, dtype=np.int64), tuple(strata.tolist()), noise=np.full(n, np.nan))


def studies_with_any(effect: float, count: int, *, as_planned: bool) -> int:
    """In how many of the simulated studies some measure is found."""
    random = np.random.default_rng(20)
    return sum(bool(associations(study(random, effect), as_planned=as_planned).discoveries) for _ in range(count))


@pytest.mark.parametrize("as_planned", [True, pytest.param(False, marks=pytest.mark.ends)])
def test_shuffled_gaps_are_tracked_by_nothing(as_planned: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(associating, "_MOST_PERMUTATIONS", 999)
    monkeypatch.setattr("study.answer.gap_associations.psi", _unasked)
    monkeypatch.setattr("study.answer.gap_associations.cmi", _unasked)
    assert MOST == 37
    assert studies_with_any(0.0, STUDIES, as_planned=as_planned) <= MOST
    assert studies_with_any(2.0, 30, as_planned=as_planned) > 15, "so the test can fail"


def _unasked(found: object) -> list[object]:
    """Ψ and CMI decide nothing."""
    return [None] * MEASURES
