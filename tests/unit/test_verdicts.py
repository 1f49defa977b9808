"""Verdicts: every cell of the table is reached, with its sentence; families, units, looks and guarantees."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from search_spaces.claims import AtLeast, AtMost, Equivalent, Exactly, Greater, Less
from search_spaces.quantities import Association, Between, Metric, Order, Share, Slope, Twins
from search_spaces.space import SearchSpace
from search_spaces.spanned import Choices
from study.answer.deciding import verdicts
from study.answer.standing import Standing
from tests.unit.claim_studies import NO_NETWORKS, WIDTHS, M, X, claim, decide, spread, study


@pytest.mark.parametrize(
    ("comparison", "mean", "expected"),
    [
        (Greater(matters=0.05), 0.3, "supported"),
        (Greater(than=0.1, matters=0.05), 0.3, "supported"),
        (Greater(matters=0.05), -0.1, "refuted"),
        (Greater(matters=0.3), 0.1, "refuted"),  # above 0 for certain, but less than matters for certain
        (Greater(matters=0.15), 0.11, "open"),  # above 0 for certain, the estimate not as large as matters
        (Greater(matters=0.05), 0.03, "open"),
        (Less(matters=0.05), -0.3, "supported"),
        (Less(matters=0.05), 0.1, "refuted"),
        (Less(matters=0.05), -0.03, "open"),
        (AtLeast(bound=0.2), 0.3, "supported"),
        (AtLeast(bound=0.4), 0.3, "refuted"),
        (AtLeast(bound=0.29), 0.3, "open"),
        (AtMost(bound=0.4), 0.3, "supported"),
        (AtMost(bound=0.2), 0.3, "refuted"),
        (AtMost(bound=0.31), 0.3, "open"),
        (Equivalent(matters=0.1), 0.0, "supported"),
        (Equivalent(to=0.3, matters=0.1), 0.3, "supported"),
        (Equivalent(matters=0.1), 0.3, "refuted"),
        (Equivalent(matters=0.1), -0.3, "refuted"),
        (Equivalent(matters=0.1), 0.1, "open"),
    ],
)
@pytest.mark.parametrize("looked", [False, True])
def test_each_cell_of_the_table(comparison: Any, mean: float, expected: str, looked: bool) -> None:
    values = spread(mean, deviation=0.06 if isinstance(comparison, Equivalent) else 0.1, seed=4)
    found = decide(claim(M, comparison), study(values), planned=None if not looked else 48).finding_of("x")
    assert found.verdict == expected
    assert found.sentence.startswith(f"{expected.capitalize()}: It is so. Estimate ")
    assert found.estimate == pytest.approx(np.mean(values))
    if expected != "open":
        assert found.by == "any time" or not looked
        assert "decided at" in found.sentence


def test_planned_n_is_asked_only_of_a_study_that_ended_as_planned() -> None:
    five = study(spread(0.3, n=5))  # too few for any sequence at this level
    assert (
        decide(claim(M, Greater()), five).finding_of("x").verdict,
        decide(claim(M, Greater()), five).finding_of("x").by,
    ) == (
        "supported",
        "planned n",
    )
    stopped = decide(claim(M, Greater()), five, planned=24, total=5)
    assert stopped.finding_of("x").verdict == "open"
    assert stopped.assurance.startswith("Ended at 5 of 24 planned trials.")
    extended = decide(claim(M, Greater()), five, planned=3, total=5)
    assert extended.finding_of("x").verdict == "open"
    assert extended.assurance.startswith("Extended from 3 planned trials to 5.")
    running = decide(claim(M, Greater()), five, planned=24)
    assert running.guarantee == "any time"
    assert running.assurance.startswith("5 of 24 planned trials have ended.")
    assert "about" in running.finding_of("x").sentence, "it says how many more units"


def test_t_and_its_simultaneous_interval_are_students() -> None:
    values = np.array(spread(0.3, n=6))
    two = decide((claim(M, Greater(), "a"), claim(M, Greater(than=0.1), "b")), study(values))
    half = 3.163381 * 0.1 / math.sqrt(6)  # t with 5 degrees of freedom at 1 − .025/2
    assert two.finding_of("a").planned_interval == pytest.approx((0.3 - half, 0.3 + half), rel=1e-5)
    assert two.family == 2


def test_what_was_decided_stays_decided() -> None:
    early, late = spread(0.3, n=16), spread(-0.6, n=30, seed=1)
    before = decide(claim(M, Greater(matters=0.05)), study(early), planned=99)
    after = decide(claim(M, Greater(matters=0.05)), study([*early, *late]), planned=99)
    assert before.finding_of("x").verdict == after.finding_of("x").verdict == "supported"
    assert before.finding_of("x").decided_with == after.finding_of("x").decided_with


def test_decided_with_the_first_units_that_suffice() -> None:
    values = spread(0.3, n=30)
    found = decide(claim(M, Greater(matters=0.05)), study(values), planned=99).finding_of("x")
    assert found.decided_with is not None
    for n in (found.decided_with - 1, found.decided_with):
        mine = decide(claim(M, Greater(matters=0.05)), study(values[:n]), planned=99).finding_of("x")
        assert mine.verdict == ("supported" if n == found.decided_with else "open")


@pytest.mark.parametrize(
    ("n", "other", "expected"), [(6, False, "supported"), (5, False, "open"), (4, True, "refuted")]
)
def test_a_count_is_supported_by_all_and_refuted_by_one(n: int, other: bool, expected: str) -> None:
    values = [3.0] * n
    if other:
        values[1] = 2.0
    found = decide(claim(Metric(metric="measure/x/y"), Exactly(count=3)), study(values), planned=6)
    # the plan of the study has six units
    trials = study([3.0] * 6)
    space = SearchSpace(
        base={"data.label_noise": 1.0},
        span={"model.width": Choices(values=WIDTHS)},
        claims=(claim(Metric(metric="measure/x/y"), Exactly(count=3)),),
    )
    found = verdicts(space, study(values), NO_NETWORKS, plan=trials, standing=Standing(6, 6, n))
    assert found.finding_of("x").verdict == expected


def test_a_share_is_about_yes_and_no() -> None:
    yes = [0.9] * 38 + [0.1] * 2
    share = Share(of=M, above=0.5)
    assert decide(claim(share, AtLeast(bound=0.6)), study(yes), planned=99).finding_of("x").verdict == "supported"
    assert decide(claim(share, AtLeast(bound=0.99)), study(yes[::-1]), planned=99).finding_of("x").verdict == "open"
    assert decide(claim(share, AtMost(bound=0.6)), study(yes), planned=99).finding_of("x").verdict == "refuted"
    assert decide(claim(share, AtLeast(bound=0.6)), study(yes)).finding_of("x").estimate == pytest.approx(0.95)


def related(slope: float, n: int = 36) -> pd.DataFrame:
    draws = np.random.default_rng(5)
    x = draws.uniform(size=n)
    return study(slope * x + draws.normal(0, 0.25, n), **{"measure/x/x": x})


@pytest.mark.parametrize(
    ("comparison", "slope", "expected"),
    [(Less(), -1.0, "supported"), (Less(), 1.0, "refuted"), (Greater(), 1.0, "supported"), (Less(), 0.0, "open"),
     (Equivalent(matters=0.9), 0.0, "supported"), (Equivalent(matters=0.1), 2.0, "refuted")],
)  # fmt: skip
def test_an_association_is_decided_by_its_slope(comparison: Any, slope: float, expected: str) -> None:
    found = decide(claim(Association(first=X, second=M), comparison), related(slope), planned=99).finding_of("x")
    assert found.verdict == expected
    assert found.tau is not None
    assert all(end is not None and -1 <= end <= 1 for end in (*found.interval, *found.planned_interval))
    assert "Kendall τ" in found.sentence


def test_a_slope_over_a_field_in_ranks_and_per_doubling() -> None:
    values = [0.2 * math.log2(WIDTHS[i % 3]) + noise for i, noise in enumerate(spread(0, 30, 0.05))]
    for scale, estimate in (("log", 0.2), ("rank", 0.95)):
        quantity = Slope(of=M, over="model.width", scale=scale)
        found = decide(claim(quantity, Greater()), study(values), planned=99).finding_of("x")
        assert found.verdict == "supported"
        assert found.estimate == pytest.approx(estimate, abs=0.05)


def test_between_settings_unpaired_and_in_order() -> None:
    values = [{64: 0.9, 128: 0.5, 256: 0.1}[WIDTHS[i % 3]] + noise for i, noise in enumerate(spread(0, 45, 0.1))]
    trials = study(values)
    wide = claim(Between(of=M, first={"model.width": 64}, second={"model.width": 128}), Greater(matters=0.1))
    found = decide(wide, trials, planned=99).finding_of("x")
    assert (found.verdict, found.n) == ("supported", 15)
    assert found.estimate == pytest.approx(0.4, abs=0.1)
    right = Order(of=M, settings=tuple({"model.width": width} for width in WIDTHS))
    wrong = Order(of=M, settings=({"model.width": 64}, {"model.width": 256}, {"model.width": 128}))
    assert decide(claim(right, Greater(matters=0.1)), trials, planned=99).finding_of("x").verdict == "supported"
    assert decide(claim(wrong, Greater(matters=0.1)), trials, planned=99).finding_of("x").verdict == "refuted"
    assert decide(claim(right, Greater(matters=0.45)), trials, planned=99).finding_of("x").verdict == "open"


def test_settings_that_met_the_same_networks_are_paired() -> None:
    draws = np.random.default_rng(2)
    luck = np.repeat(draws.normal(0, 1, 12), 2)
    trials = study(luck + np.tile([0.1, 0.0], 12) + draws.normal(0, 0.02, 24), **{"model.width": [64, 128] * 12})
    trials["cell"] = [f"cell {i // 2}" for i in range(24)]
    quantity = Between(of=M, first={"model.width": 64}, second={"model.width": 128})
    found = decide(claim(quantity, Greater(matters=0.05)), trials, planned=99).finding_of("x")
    assert (found.verdict, found.n, found.unit) == ("supported", 12, "dense cell")
    apart = trials.drop(columns="cell").sample(frac=1, random_state=0)
    apart["number"] = range(24)
    alone = decide(claim(quantity, Greater(matters=0.05)), apart, planned=99).finding_of("x")
    assert alone.verdict == "open", "apart they drown in the networks' own luck"


def test_fewer_than_two_units_are_undefined_with_the_reason() -> None:
    found = decide(claim(Twins(metric="measure/x/y"), Greater()), study(spread(0.3, n=5))).finding_of("x")
    assert found.verdict == "undefined"
    assert found.reason == "no trials with it, 2 are needed; 5 left out (undefined)"
    assert found.sentence == "Undefined: It is so. No trials with it, 2 are needed; 5 left out (undefined)."
    nothing = decide(claim(Association(first=M, second=M), Less()), study([0.5] * 9)).finding_of("x")
    assert "the same in all units" in nothing.reason


def test_units_that_change_as_the_study_goes_on_are_said_not_drawn_as_an_interval() -> None:
    values = [*spread(0.6, n=40, deviation=0.02), *spread(-0.2, n=200, deviation=0.02, seed=1)]
    found = decide(claim(M, Greater(matters=0.05)), study(values), planned=999).finding_of("x")
    assert found.contradicts_itself
    assert "units changed as the study went on" in found.sentence
    assert " to " not in found.brief
