"""The verdict table, cell by cell: each comparison comes out each way, with its sentence."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pytest

from search_spaces.claims import AtLeast, AtMost, Equivalent, Exactly, Greater, Less
from search_spaces.quantities import Association, Metric, Order, Share, Slope
from tests.unit.claim_studies import WIDTHS, M, X, claim, decide, spread, study

Cell: TypeAlias = tuple[Any, Any, Callable[[], pd.DataFrame]]
COUNT = Metric(metric="measure/x/y")
FALLING = Order(of=M, settings=tuple({"model.width": width} for width in WIDTHS))
FIELD = Slope(of=M, over="model.width")
PAIR = Association(first=X, second=M)
ABOVE = Share(of=M, above=0.5)


def about(mean: float, deviation: float = 0.1) -> Callable[[], pd.DataFrame]:
    return lambda: study(spread(mean, deviation=deviation, seed=4))


def by_width(*means: float, deviation: float = 0.1, n: int = 45) -> Callable[[], pd.DataFrame]:
    """Widths 64, 128 and 256 with these means."""
    level = dict(zip(WIDTHS, means, strict=True))
    return lambda: study([level[WIDTHS[i % 3]] + noise for i, noise in enumerate(spread(0, n, deviation))])


def related(slope: float, n: int = 36) -> Callable[[], pd.DataFrame]:
    draws = np.random.default_rng(5)
    x = draws.uniform(size=n)
    values = slope * x + draws.normal(0, 0.25, n)
    return lambda: study(values, **{"measure/x/x": x})


def yes(count: int, of: int) -> Callable[[], pd.DataFrame]:
    return lambda: study([0.9] * count + [0.1] * (of - count))


def one_unit() -> pd.DataFrame:
    return study([0.3])


CELLS: dict[tuple[str, str], Cell] = {
    ("greater", "supported"): (M, Greater(matters=0.05), about(0.3)),
    ("greater", "refuted"): (M, Greater(matters=0.3), about(0.1)),  # above 0 for certain, less than matters for certain
    ("greater", "open"): (M, Greater(matters=0.15), about(0.11)),  # above 0 for certain, the estimate too small
    ("greater", "undefined"): (M, Greater(), one_unit),
    ("less", "supported"): (M, Less(than=0.5, matters=0.05), about(0.3)),
    ("less", "refuted"): (M, Less(matters=0.05), about(0.1)),
    ("less", "open"): (M, Less(matters=0.05), about(-0.03)),
    ("less", "undefined"): (M, Less(), one_unit),
    ("at_least", "supported"): (M, AtLeast(bound=0.2), about(0.3)),
    ("at_least", "refuted"): (M, AtLeast(bound=0.4), about(0.3)),
    ("at_least", "open"): (M, AtLeast(bound=0.29), about(0.3)),
    ("at_least", "undefined"): (M, AtLeast(bound=0.2), one_unit),
    ("at_most", "supported"): (M, AtMost(bound=0.4), about(0.3)),
    ("at_most", "refuted"): (M, AtMost(bound=0.2), about(0.3)),
    ("at_most", "open"): (M, AtMost(bound=0.31), about(0.3)),
    ("at_most", "undefined"): (M, AtMost(bound=0.4), one_unit),
    ("equivalent", "supported"): (M, Equivalent(matters=0.1), about(0.0, 0.06)),
    ("equivalent", "refuted above"): (M, Equivalent(matters=0.1), about(0.3, 0.06)),
    ("equivalent", "refuted"): (M, Equivalent(matters=0.1), about(-0.3, 0.06)),
    ("equivalent", "open"): (M, Equivalent(matters=0.1), about(0.1, 0.06)),
    ("equivalent", "undefined"): (M, Equivalent(matters=0.1), one_unit),
    ("order", "supported"): (FALLING, Greater(matters=0.1), by_width(0.9, 0.5, 0.1)),
    ("order", "refuted"): (FALLING, Greater(matters=0.1), by_width(0.9, 0.1, 0.5)),
    ("order", "open"): (FALLING, Greater(matters=0.42), by_width(0.9, 0.5, 0.1)),
    ("order", "undefined"): (FALLING, Greater(), by_width(0.9, 0.5, 0.1, n=4)),
    ("association", "supported"): (PAIR, Less(), related(-1.0)),
    ("association", "refuted"): (PAIR, Less(), related(1.0)),
    ("association", "open"): (PAIR, Less(), related(0.0)),
    ("association", "undefined"): (PAIR, Less(), related(-1.0, n=5)),
    ("slope", "supported"): (FIELD, Less(), by_width(0.9, 0.5, 0.1)),
    ("slope", "refuted"): (FIELD, Greater(), by_width(0.9, 0.5, 0.1)),
    ("slope", "open"): (FIELD, Greater(), by_width(0.5, 0.5, 0.5)),
    ("slope", "undefined"): (FIELD, Greater(), one_unit),
    ("share", "supported"): (ABOVE, AtLeast(bound=0.6), yes(38, 40)),
    ("share", "refuted"): (ABOVE, AtLeast(bound=0.9), yes(12, 40)),
    ("share", "open"): (ABOVE, AtLeast(bound=0.9), yes(37, 40)),
    ("share", "undefined"): (ABOVE, AtLeast(bound=0.6), one_unit),
    ("exactly", "supported"): (COUNT, Exactly(count=3), lambda: study([3.0] * 6)),
    ("exactly", "refuted"): (COUNT, Exactly(count=3), lambda: study([3.0, 3.0, 2.0, 3.0])),
    ("exactly", "open"): (COUNT, Exactly(count=3), lambda: study([3.0] * 5)),
    ("exactly", "undefined"): (COUNT, Exactly(count=3), lambda: study([math.nan] * 3)),
}
ROWS = ("greater", "less", "at_least", "at_most", "equivalent", "order", "association", "slope", "share", "exactly")
VERDICTS = ("supported", "refuted", "open", "undefined")


def test_every_cell_is_here() -> None:
    assert {(row, verdict.partition(" ")[0]) for row, verdict in CELLS} == {
        (row, one) for row in ROWS for one in VERDICTS
    }


@pytest.mark.parametrize(("row", "verdict"), CELLS)
@pytest.mark.parametrize("ended", [False, True], ids=["still running", "as planned"])
def test_it_comes_out_with_its_sentence(row: str, verdict: str, ended: bool) -> None:
    quantity, comparison, made = CELLS[row, verdict]
    word, trials = verdict.partition(" ")[0], made()
    planned = len(trials) if ended else 99
    if row == "exactly" and word in ("open", "supported"):
        planned = 6
    found = decide(claim(quantity, comparison), trials, planned=planned, plan=_plan(trials, planned)).finding_of("x")
    assert found.verdict == word
    said = found.sentence
    assert said.startswith(f"{word.capitalize()}: It is so. ")
    assert said.endswith(".")
    if word == "undefined":
        assert found.reason[1:] in said
        assert "needed" in said
        return
    assert ("Slope of ranks" if row in ("association", "slope") else "Estimate") in said
    assert ("decided at" in said) == (word != "open")
    if word != "open" and not ended:
        assert "decided at any time, with " in said
    assert found.estimate is not None
    assert f"{found.n} trial" in said


def _plan(trials: pd.DataFrame, planned: int) -> pd.DataFrame:
    """As many trials as planned, of the same settings in turn."""
    rows = pd.concat([trials] * (planned // len(trials) + 1), ignore_index=True).head(planned)
    return rows.assign(number=range(planned))
