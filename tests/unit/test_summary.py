"""Means, pairs and exclusions, on rows small enough to check by hand."""

from typing import Any

import pytest

from tests.engine import CLASSES, config
from trainables.summary.dense import dense_metrics
from trainables.summary.final import summarise
from trainables.summary.levels import level_metrics
from trainables.summary.means import add_mean

# Ratio 1, 2, 4; with chance 0 an auc over log2 ratio 0 … 2 is (1 + 2·v1 + v2)/4.
RATIOS = (1.0, 2.0, 4.0)


def curve(arm: str, network: int, accuracies: tuple[float, ...], **fields: Any) -> list[dict[str, Any]]:
    rows = []
    for level, (ratio, accuracy) in enumerate(zip(RATIOS, accuracies, strict=True)):
        row = {"arm": arm, "network": network, "level": level, "ratio": ratio, "parameters": int(1024 / ratio)}
        row |= {"parameter_ratio": ratio, "description_length": 32768 / ratio, "description_ratio": ratio}
        row |= {"flops": 1000 / ratio, "train_accuracy": accuracy, "kept_accuracy": accuracy, "chance": 0.0}
        row |= {"changed_accuracy": None, "interpolated": True}
        rows.append({**row, **fields})
    return rows


def summary(*curves: list[dict[str, Any]], **fields: Any) -> tuple[dict[str, float], dict[str, str]]:
    return summarise([row for rows in curves for row in rows], config(**fields), 2.0)


def test_auc_is_the_mean_of_the_networks() -> None:
    metrics, notes = summary(
        curve("replicate", 0, (1.0, 0.5, 0.0)),
        curve("replicate", 1, (1.0, 1.0, 0.5)),
        curve("replicate", 2, (1.0, 0.0, 0.0)),
    )
    assert metrics["compressibility/auc"] == pytest.approx((0.5 + 0.875 + 0.25) / 3)
    # t(2, 0.975) = 4.3027; deviation of 0.5, 0.875, 0.25 is 0.314576.
    assert metrics["compressibility/auc/ci95"] == pytest.approx(4.3027 * 0.314576 / 3**0.5, rel=1e-4)
    assert "compressibility/auc_changed" not in metrics
    assert not [name for name in metrics if name.startswith(("control/", "contrast/", "baseline/"))]
    assert set(notes) == {"undefined/compressibility/auc_changed", "undefined/compressibility/selectivity"} | {
        "undefined/contrast/auc"
    }


def test_pairs_count_only_where_both_twins_interpolated() -> None:
    metrics, notes = summary(
        curve("replicate", 0, (1.0, 0.5, 0.0)),
        curve("replicate", 1, (1.0, 0.5, 0.0), interpolated=False),
        curve("replicate", 2, (1.0, 0.0, 0.0)),
        curve("control", 0, (1.0, 1.0, 1.0)),
        curve("control", 1, (1.0, 1.0, 1.0)),
        curve("control", 2, (1.0, 1.0, 0.0)),
    )
    assert metrics["contrast/pairs"] == 2
    assert metrics["contrast/auc"] == pytest.approx(((1 - 0.5) + (0.75 - 0.25)) / 2)
    assert "contrast/auc/ci95" not in metrics
    assert notes["contrast/excluded"].startswith("1 of 3 pairs")
    assert "contrast/retained" not in metrics


def test_pairs_left_out_are_counted_by_reason() -> None:
    _, notes = summary(
        curve("replicate", 0, (1.0, 0.5, 0.0)),
        curve("replicate", 1, (0.4, 0.4, 0.0)),  # met a lenient stop rule, but has no auc
        curve("control", 0, (1.0, 1.0, 1.0), interpolated=False),
        curve("control", 1, (1.0, 1.0, 1.0)),
    )
    reasons = "1 of 2 pairs: a twin did not interpolate; 1 of 2 pairs: a twin has no auc"
    assert notes["contrast/excluded"] == reasons


def test_retained_contrast_is_what_fresh_networks_leave() -> None:
    metrics, _ = summary(
        curve("replicate", 0, (1.0, 0.5, 0.0)),
        curve("control", 0, (1.0, 1.0, 1.0)),
        curve("scratch_replicate", 0, (1.0, 0.5, 0.5)),
        curve("scratch_control", 0, (1.0, 1.0, 0.0)),
    )
    assert metrics["contrast/auc"] == pytest.approx(0.5)
    assert metrics["baseline/scratch_auc"] == pytest.approx(0.625)
    assert metrics["control/baseline/scratch_auc"] == pytest.approx(0.75)
    assert metrics["contrast/retained"] == pytest.approx((1 - 0.75) - (0.5 - 0.625))


def test_networks_that_did_not_fit_are_left_out_and_said() -> None:
    metrics, notes = summary(
        curve("replicate", 0, (1.0, 0.5, 0.0)), curve("replicate", 1, (0.4, 0.2, 0.0)), compression__rate=0.5
    )
    assert metrics["compressibility/auc"] == pytest.approx(0.5)
    assert notes["networks/compressibility/auc"] == "1 of 2"
    assert metrics["levels_survived"] == 1


def test_curve_that_ends_early_has_no_auc_and_says_why() -> None:
    rows = curve("replicate", 0, (1.0, 0.9, 0.8))
    metrics, notes = summarise(rows, config(), 3.0)
    assert "compressibility/auc" not in metrics
    assert "ends at log2 ratio 2.00" in notes["undefined/compressibility/auc"]
    assert metrics["compressibility/log2_ratio_at_half_censored"] == 1
    assert metrics["compressibility/log2_ratio_at_half"] == 2


def test_level_contrast_is_paired_and_normalised() -> None:
    dense = curve("replicate", 0, (0.8, 0.4, 0.0))[:1] + curve("control", 0, (1.0, 0.9, 0.0))[:1]
    level = curve("replicate", 0, (0.8, 0.4, 0.0))[1:2] + curve("control", 0, (1.0, 0.9, 0.0))[1:2]
    columns = ("train_loss", "recovered_accuracy", "val_loss", "val_accuracy", "test_loss", "test_accuracy")
    for row in level:
        row.update(dict.fromkeys((*columns, "fidelity", "kappa"), 0.5))
    metrics, _ = level_metrics(level, dense, {"extra": [3.0, 4.0]}, CLASSES)
    assert metrics["level/normalised_accuracy"] == pytest.approx(0.5)
    assert metrics["contrast/level/normalised_accuracy"] == pytest.approx(0.4)
    assert (metrics["level/extra"], metrics["control/level/extra"]) == (3.0, 4.0)
    assert metrics["level/speedup"] == metrics["control/level/ratio"] == 2
    assert (metrics["level/density"], metrics["level/bytes"]) == (0.5, 2048)
    assert "level/changed_accuracy" not in metrics


def test_gaps() -> None:
    row = {"arm": "replicate", "train_accuracy": 0.9, "test_accuracy": 0.7, "val_accuracy": 0.75, "test_loss": 2.0}
    row |= {"train_loss": 0.5, "iid_accuracy": None, "val_loss": 1.0, "changed_share": 0.1}
    row |= {"kept_accuracy": 0.9, "changed_accuracy": None, "recovered_accuracy": None}
    metrics, _ = dense_metrics([row], "accuracy", final=False)
    assert metrics["gap/accuracy"] == pytest.approx(0.2)
    assert metrics["gap/loss"] == pytest.approx(1.5)
    assert metrics["gap/val_accuracy"] == pytest.approx(0.15)
    assert "gap/iid_accuracy" not in metrics
    assert "train/changed_accuracy" not in metrics


def test_means_of_nothing_are_absent() -> None:
    metrics: dict[str, float] = {}
    add_mean(metrics, "nothing", [None, None])
    add_mean(metrics, "two", [1.0, 2.0, None])
    assert metrics == {"two": 1.5}
