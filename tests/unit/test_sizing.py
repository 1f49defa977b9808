"""Widths of levels: the largest networks that reach each ratio."""

import math

import pytest

from tests.engine import config
from trainables.compression.combinations import check
from trainables.compression.reach import auc_log2_ratio, reached_log2_ratio
from trainables.compression.recovery import epochs_at
from trainables.compression.sizing import level_widths
from trainables.stack.interfaces import model_of

DIGITS, MNIST = (1, 8, 8), (1, 28, 28)


@pytest.mark.parametrize("depth", [1, 6, 12])
@pytest.mark.parametrize("width", [16, 64, 250])
def test_levels_are_the_widest_that_reach_their_ratio(width: int, depth: int) -> None:
    trial = config(model__width=width, compression__depth=depth, compression__target_ratio=16.0)
    levels, model = level_widths(trial, DIGITS, 10), model_of(trial)
    total = model.parameter_count((width, width), DIGITS, 10)
    assert levels[0] == (width, width)
    assert len(levels) == depth + 1
    for level, widths in enumerate(levels[1:], start=1):
        wanted = 16 ** (level / depth)
        assert total / model.parameter_count(widths, DIGITS, 10) >= wanted * (1 - 1e-8)
        wider = (widths[0] + 1, widths[1] + 1)
        assert total / model.parameter_count(wider, DIGITS, 10) < wanted


def test_never_below_one_unit() -> None:
    trial = config(model__width=3, compression__depth=3, compression__target_ratio=1000.0)
    assert level_widths(trial, DIGITS, 10)[-1] == (1, 1)
    assert reached_log2_ratio(trial, DIGITS, 10) < auc_log2_ratio(trial, DIGITS, 10) == math.log2(1000)


def test_rate_is_the_blogs() -> None:
    trial = config(model__width=512, compression__rate=0.2, compression__depth=12)
    levels = level_widths(trial, MNIST, 10)
    assert [widths[0] for widths in levels] == [512, 409, 327, 261, 208, 166, 132, 105, 84, 67, 53, 42, 33]
    assert auc_log2_ratio(trial, MNIST, 10) == reached_log2_ratio(trial, MNIST, 10)
    ten = config(model__width=10, compression__rate=0.2, compression__depth=1)
    assert level_widths(ten, DIGITS, 10)[1] == (8, 8)


def test_configured_limit_comes_first() -> None:
    trial = config(compression__rate=0.2, compression__depth=3, compression__auc_log2_ratio=1.5)
    assert auc_log2_ratio(trial, DIGITS, 10) == 1.5


@pytest.mark.parametrize(("total", "depth", "expected"), [(7, 3, [3, 2, 2]), (6, 3, [2, 2, 2]), (2, 4, [1, 1, 0, 0])])
def test_recovery_budget_is_split_to_the_last_epoch(total: int, depth: int, expected: list[int]) -> None:
    assert [epochs_at(total, depth, level) for level in range(1, depth + 1)] == expected


def test_recoveries_that_cannot_be_are_refused() -> None:
    rewind = {"compression__recovery": "rewind", "compression__recovery_epochs": 4}
    with pytest.raises(ValueError, match="networks of distill have none"):
        check(config(compression__method="distill", **rewind))
    with pytest.raises(ValueError, match=r"each of 5 levels, recovery_epochs=4"):
        check(config(compression__depth=5, **rewind))
    check(config(compression__depth=4, **rewind))
