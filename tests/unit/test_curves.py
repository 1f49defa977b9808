"""Areas and crossings of thousands of curves at once are those of one curve after the other."""

import math

import numpy as np
import pandas as pd
import pytest

from study.answer.curves import curves_of
from trainables.compressibility import auc, curve_of, log2_ratio_at

COLUMNS = {"interpolated": True, "chance": 0.1}


def some(rng: np.random.Generator, count: int = 60) -> pd.DataFrame:
    """Curves of different lengths, some of which never fit, end early, or lack a score."""
    rows = []
    for network in range(count):
        levels = int(rng.integers(1, 9))
        ratios = 2 ** np.cumsum([0.0, *rng.uniform(0, 1, levels)])
        if network % 7 == 0 and levels > 2:
            ratios[2] = ratios[1] * 0.98  # a description that came out longer than the one before
        scores = np.clip(np.cumprod([rng.uniform(0.3, 1), *rng.uniform(0.7, 1.05, levels)]), 0, 1)
        if network % 11 == 0:
            scores[-1] = math.nan
        rows += [
            {"trial": network // 3, "arm": "replicate", "network": network, "level": level, "ratio": ratio}
            | {"train_accuracy": score, **COLUMNS}
            for level, (ratio, score) in enumerate(zip(ratios, scores, strict=True))
        ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


@pytest.mark.parametrize("limit", [0.4, 1.7, 3.0])
def test_they_are_those_of_single_curves(limit: float) -> None:
    networks = some(np.random.default_rng(0))
    found = curves_of(networks, "train_accuracy")
    areas = found.areas(np.full(len(found.keys), limit))
    halves, most = found.crossings(0.5), found.crossings(0.95)
    assert len(found.keys) == 60
    known = 0
    for place, (_, rows) in enumerate(networks.sort_values("level").groupby(["trial", "arm", "network"])):
        scores = rows["train_accuracy"].to_numpy()
        if not np.isfinite(scores).all():
            assert math.isnan(areas[place])
            continue
        curve = curve_of(rows["ratio"].to_numpy(), scores)
        expected = auc(curve, 0.1, limit)
        assert areas[place] == pytest.approx(math.nan if expected is None else expected, abs=1e-12, nan_ok=True)
        for share, crossings in ((0.5, halves), (0.95, most)):
            crossing = log2_ratio_at(curve, 0.1, share)
            value = math.nan if crossing is None else crossing.log2_ratio
            assert crossings[place] == pytest.approx(value, abs=1e-12, nan_ok=True)
        known += expected is not None
    assert known > 3


def test_a_curve_that_lacks_its_dense_network_has_no_area() -> None:
    networks = some(np.random.default_rng(1), 4)
    cut = networks[(networks["level"] > 0) | (networks["network"] != 2)]
    found = curves_of(cut, "train_accuracy")
    assert math.isnan(found.areas(np.full(4, 0.2))[2])
    assert len(curves_of(networks.iloc[:0], "train_accuracy").areas(np.zeros(0))) == 0
