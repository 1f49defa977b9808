"""The scalars of a compression curve, against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables.compressibility import (
    Curve,
    ThresholdCrossing,
    auc,
    curve_of,
    levels_survived,
    log2_params_at,
    log2_ratio_at,
    selectivity,
    why_no_auc,
)

CHANCE = 0.1


def curve(ratios: list[float], accuracy: list[float]) -> Curve:
    return Curve(np.array(ratios), np.array(accuracy))


def test_auc_of_a_straight_fall_is_one_half() -> None:
    assert auc(curve([0, 4], [1.0, CHANCE]), CHANCE, 4) == pytest.approx(0.5)


def test_auc_is_measured_against_the_dense_accuracy_and_chance() -> None:
    assert auc(curve([0, 2, 4], [0.8, 0.8, 0.8]), CHANCE, 4) == pytest.approx(1.0)
    assert auc(curve([0, 4], [0.8, 0.45]), CHANCE, 4) == pytest.approx(0.75)


def test_auc_clips_below_chance_and_above_the_dense_network() -> None:
    assert auc(curve([0, 1, 2], [0.9, 1.0, 0.0]), CHANCE, 2) == pytest.approx(0.75)


def test_auc_interpolates_at_the_limit_and_is_never_extrapolated() -> None:
    falling = curve([0, 1, 3], [1.0, 1.0, CHANCE])
    assert auc(falling, CHANCE, 2) == pytest.approx((1 + 0.75) / 2)
    assert auc(falling, CHANCE, 3.5) is None
    assert why_no_auc(falling, CHANCE, 3.5) == "the curve ends at log2 ratio 3.00, before 3.50"
    assert why_no_auc(falling, CHANCE, 3) is None


def test_nothing_is_said_of_a_network_that_did_not_fit() -> None:
    unfit = curve([0, 4], [0.54, 0.3])
    assert auc(unfit, CHANCE, 4) is None
    assert log2_ratio_at(unfit, CHANCE, 0.5) is None
    assert log2_params_at(unfit, CHANCE, 0.5, 100) is None
    assert levels_survived(unfit, CHANCE) is None
    assert "did not fit" in (why_no_auc(unfit, CHANCE, 4) or "")
    assert auc(curve([0, 4], [0.55, 0.3]), CHANCE, 4) is not None


def test_crossings_are_interpolated_or_censored() -> None:
    fall = curve([0, 2, 4], [1.0, 1.0, CHANCE])
    assert log2_ratio_at(fall, CHANCE, 0.5) == ThresholdCrossing(pytest.approx(3.0), censored=False)
    assert log2_ratio_at(fall, CHANCE, 0.95) == ThresholdCrossing(pytest.approx(2.1), censored=False)
    assert log2_params_at(fall, CHANCE, 0.5, 1024) == ThresholdCrossing(pytest.approx(7.0), censored=False)
    flat = curve([0, 2, 4], [1.0, 1.0, 0.9])
    assert log2_ratio_at(flat, CHANCE, 0.5) == ThresholdCrossing(4.0, censored=True)


def test_the_first_crossing_counts_even_if_the_curve_recovers() -> None:
    assert log2_ratio_at(curve([0, 1, 2, 3], [1, 0.1, 1, 0.1]), CHANCE, 0.5) == ThresholdCrossing(
        pytest.approx(0.5), False
    )


def test_levels_survived_counts_levels_before_the_fall() -> None:
    assert levels_survived(curve([0, 1, 2, 3], [1, 0.9, 0.8, 0.2]), CHANCE) == 2
    assert levels_survived(curve([0, 1, 2], [1, 0.2, 1.0]), CHANCE) == 0
    assert levels_survived(curve([0, 1, 2], [1, 0.9, 0.8]), CHANCE) == 2


def test_selectivity_needs_both() -> None:
    assert selectivity(0.75, 0.5) == 0.25
    assert selectivity(None, 0.5) is None


def test_levels_that_share_a_ratio_are_allowed() -> None:
    assert auc(curve([0, 1, 1, 2], [1, 1, CHANCE, CHANCE]), CHANCE, 2) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("ratios", "accuracy"), [([0, 2, 1], [1, 1, 1]), ([1, 2], [1, 1]), ([0], []), ([0, 1], [1, float("nan")])]
)
def test_a_bad_curve_is_refused(ratios: list[float], accuracy: list[float]) -> None:
    with pytest.raises(ValueError, match=r"curve|ratios"):
        curve(ratios, accuracy)


@given(
    steps=st.lists(st.floats(0.05, 2), min_size=1, max_size=10),
    data=st.data(),
    limit=st.floats(0.01, 20),
)
def test_auc_stays_in_the_unit_interval_and_grows_with_accuracy(
    steps: list[float], data: st.DataObject, limit: float
) -> None:
    ratios = [0.0, *np.cumsum(steps)]
    accuracy = [1.0, *data.draw(st.lists(st.floats(0, 0.9), min_size=len(steps), max_size=len(steps)))]
    value = auc(curve(ratios, accuracy), CHANCE, limit)
    better = auc(curve(ratios, [1.0, *(a + 0.1 for a in accuracy[1:])]), CHANCE, limit)
    assert (value is None) == (ratios[-1] < limit - 1e-9)
    if value is not None and better is not None:
        assert 0 <= value <= better + 1e-12 <= 1 + 1e-9


def test_a_description_that_gets_longer_counts_as_the_shorter_one_before() -> None:
    found = curve_of([1, 8, 7.9], [1.0, 0.5, 0.25])
    assert found.log2_ratio.tolist() == [0, 3, 3]
