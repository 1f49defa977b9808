"""Whole trials on the digits: what is reported, for whom, and what is left out."""

import itertools
import math
from pathlib import Path

import pytest
import torch

from tests.engine import config, records, run
from trainables.compression.course import new_workspace
from trainables.data.trial_data import trial_data
from trainables.errors import TrialDiverged
from trainables.progress import Progress
from trainables.record import Record

DISTILL = {"compression__method": "distill", "compression.distill.epochs": 2, "compression__rate": 0.3}


def of_stage(found: list[Record], stage: str) -> list[Record]:
    return [record for record in found if record.stage == stage]


@pytest.fixture(scope="module")
def plain() -> list[Record]:
    return records(config(model__width=32, training__epochs=120, training__lr=0.1))


def test_records_come_in_order(plain: list[Record]) -> None:
    assert [r.step for r in of_stage(plain, "level")] == [0, 1, 2]
    dense = [r.step for r in of_stage(plain, "dense")]
    assert dense[:10] == list(range(1, 11))
    assert all(later >= 1.25 * earlier for earlier, later in itertools.pairwise(dense[9:-1]))
    assert [r.stage for r in plain] == ["dense"] * len(dense) + ["level"] * 3 + ["summary"]


def test_the_trial_pauses_between_chunks() -> None:
    assert sum(record is None for record in run(config())) >= 5


def test_level_metrics(plain: list[Record]) -> None:
    last = of_stage(plain, "level")[-1].metrics
    assert last["level/ratio"] >= 4
    assert last["level/parameters"] < of_stage(plain, "level")[0].metrics["level/parameters"] / 4
    assert last["level/speedup"] > 1
    for arm in ("", "control/"):
        for name in ("train_accuracy", "kept_accuracy", "val_accuracy", "test_loss", "fidelity"):
            assert last[f"{arm}level/{name}"] >= 0
            assert f"{arm}level/{name}/ci95" in last
    assert "level/changed_accuracy" in last
    assert "control/level/changed_accuracy" not in last
    first = of_stage(plain, "level")[0].metrics
    assert first["level/fidelity"] == first["control/level/fidelity"] == 1


def test_dense_metrics(plain: list[Record]) -> None:
    final = of_stage(plain, "dense")[-1]
    m = final.metrics
    assert m["gap/accuracy"] == pytest.approx(m["train/accuracy"] - m["test/accuracy"])
    assert m["gap/loss"] == pytest.approx(m["test/loss"] - m["train/loss"])
    assert m["gap/val_accuracy"] == pytest.approx(m["train/accuracy"] - m["val/accuracy"])
    expected = 0.5 * m["test/accuracy"] + 0.5 / 10
    assert m["gap/iid_accuracy"] == pytest.approx(m["train/accuracy"] - expected)
    assert m["control/gap/iid_accuracy"] == pytest.approx(m["control/gap/accuracy"])
    assert 0.3 < m["data/changed_share"] < 0.6
    assert m["control/data/changed_share"] == 0
    assert m["control/train/interpolated"] == 1
    assert m["control/train/epochs_to_fit"] < m["train/epochs_to_fit"] < 120
    assert "train_loss" in final.notes["control/train/stop_reason"]
    early = of_stage(plain, "dense")[0].metrics
    assert {"train/accuracy", "train/changed_accuracy", "val/accuracy", "gap/val_accuracy"} <= set(early)
    assert not [name for name in early if "test" in name or "interpolated" in name]


def test_summary(plain: list[Record]) -> None:
    summary = plain[-1]
    m = summary.metrics
    assert m["compressibility/log2_ratio_limit"] == 2
    assert 0 < m["compressibility/auc"] < m["control/compressibility/auc"] < 1
    assert m["contrast/auc"] == pytest.approx(m["control/compressibility/auc"] - m["compressibility/auc"], abs=0.2)
    assert m["contrast/pairs"] <= 3
    assert {"compressibility/auc_kept", "compressibility/auc_changed", "compressibility/selectivity"} <= set(m)
    assert "compressibility/log2_ratio_at_half_censored" in m
    assert not [name for name in m if name.startswith("baseline/")]
    assert "contrast/retained" not in m
    assert {"cost/seconds", "cost/samples_per_second", "cost/peak_bytes"} <= set(m)


def test_one_row_a_network_arm_and_level(plain: list[Record]) -> None:
    rows = plain[-1].networks
    found = sorted((row["arm"], row["network"], row["level"]) for row in rows)
    expected = sorted((arm, k, level) for arm in ("replicate", "control") for k in range(3) for level in range(3))
    assert found == expected
    assert all(row["fidelity"] == 1 for row in rows if row["level"] == 0)
    assert all(row["changed_accuracy"] is None for row in rows if row["arm"] == "control")
    assert len({row["widths"] for row in rows}) == 3
    for row in rows:
        assert not [name for name, value in row.items() if isinstance(value, float) and not math.isfinite(value)]


def test_means_are_those_of_the_rows(plain: list[Record]) -> None:
    rows = [r for r in plain[-1].networks if r["arm"] == "replicate" and r["level"] == 2]
    mean = sum(row["val_accuracy"] for row in rows) / 3
    assert of_stage(plain, "level")[-1].metrics["level/val_accuracy"] == pytest.approx(mean)


def test_networks_stopped_early_by_a_lax_rule_do_not_interpolate() -> None:
    rules = {"training__stop_at_train_accuracy": 0.6, "training__stop_at_train_loss": None}
    found = records(config(data__label_noise=1.0, model__width=32, training__epochs=60, **rules))
    dense, summary = of_stage(found, "dense")[-1], found[-1]
    assert dense.notes["train/stop_reason"] == "train_accuracy x3"
    assert dense.metrics["train/interpolated"] == 0
    assert dense.metrics["train/epochs_to_fit_censored"] == 1
    assert "contrast/auc" not in summary.metrics
    assert summary.notes["contrast/excluded"] == "3 of 3 pairs: a twin did not interpolate"
    assert summary.notes["undefined/contrast/auc"]


@pytest.mark.parametrize("number", [0, 1])
def test_clean_data_have_no_control(number: int) -> None:
    found = records(config(data__label_noise=0.0), number)
    names = {name for record in found for name in (*record.metrics, *record.notes)}
    assert [name for name in names if "control/" in name or "contrast/" in name] == ["undefined/contrast/auc"]
    assert found[-1].notes["undefined/contrast/auc"] == "no clean twins were trained: the data are clean already"
    assert {row["arm"] for row in found[-1].networks} == {"replicate"}


def test_control_can_be_left_out() -> None:
    assert {row["arm"] for row in records(config(control=False))[-1].networks} == {"replicate"}


@pytest.mark.parametrize(
    "fields",
    [
        {"compression__recovery": "finetune", "compression__recovery_epochs": 3},
        {"compression__recovery": "reinit", "compression__recovery_epochs": 3},
        DISTILL | {"compression__transfer": "train"},
        DISTILL | {"compression__transfer": "noise"},
    ],
)
def test_recovery_and_distillation_run_a_scratch_arm(fields: dict[str, object]) -> None:
    found = records(config(training__epochs=40, training__lr=0.1, **fields))
    rows = found[-1].networks
    assert {row["arm"] for row in rows} == {"replicate", "control", "scratch_replicate", "scratch_control"}
    epochs = {(r["level"], r["arm"]): r["epochs"] for r in rows if r["level"]}
    for level in (1, 2):
        assert epochs[level, "replicate"] == epochs[level, "scratch_replicate"] > 0
    m = found[-1].metrics
    assert 0 <= m["control/baseline/scratch_auc"] <= 1
    assert ("contrast/retained" in m) == (m["contrast/pairs"] > 0)
    last = of_stage(found, "level")[-1].metrics
    assert "baseline/level/train_accuracy" in last
    if "compression__method" in fields:
        assert 0 <= last["level/transfer_agreement"] <= 1
        assert 0.1 <= last["control/level/teacher_top_class_share"] <= 1
        told = {(r["level"] > 0, r["arm"].startswith("scratch")) for r in rows if r["transfer_agreement"] is not None}
        assert told == {(True, False)}  # students only, and every row has the column


def test_finetuning_counts_its_epochs_over_levels() -> None:
    found = records(config(compression__recovery="finetune", compression__recovery_epochs=3))
    epochs = {(r["level"], r["arm"]): r["epochs"] for r in found[-1].networks}
    assert (epochs[1, "scratch_replicate"], epochs[2, "scratch_replicate"]) == (2, 3)


def test_twins_share_initial_weights_and_batch_order() -> None:
    trial = config()
    workspace = new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))
    for stack in (workspace.initial(), workspace.fresh((5, 4), "student", 1)):
        for tensor in stack.tensors().values():
            assert torch.equal(tensor[:3], tensor[3:])
    weights = workspace.initial().tensors()["layers.0.weight"]
    assert not torch.equal(weights[0], weights[1])
    orders = workspace.training("dense", workspace.initial(), workspace.train_examples, trial.training).orders
    assert torch.equal(orders(4, [0, 1, 2]), orders(4, [3, 4, 5]))
    assert not torch.equal(orders(4, [0]), orders(4, [1]))
    assert not torch.equal(orders(4, [0]), orders(5, [0]))
    scratch = workspace.fresh((5, 4), "scratch", 1).tensors()["layers.0.weight"]
    assert not torch.equal(scratch, workspace.fresh((5, 4), "student", 1).tensors()["layers.0.weight"])


def test_twins_of_corrupted_inputs_see_the_true_ones() -> None:
    """Corrupted inputs are a condition too: the twin sees the true ones."""
    found = records(config(data__label_noise=0.0, data__inputs="random_pixels"))
    m = of_stage(found, "dense")[0].metrics
    assert m["control/train/accuracy"] != m["train/accuracy"]


def test_divergence_is_an_error_of_the_trial() -> None:
    with pytest.raises(TrialDiverged, match="dense: the loss was no longer finite in epoch"):
        records(config(training__lr=1e30))


def test_same_trial_same_bits_other_number_other_draws() -> None:
    first, again, other = records(config()), records(config()), records(config(), number=1)
    assert first[0] == again[0]
    assert first[-1].networks == again[-1].networks
    assert first[-1].networks != other[-1].networks


def test_more_replicates_leave_the_earlier_ones_alone() -> None:
    """Two epochs, so that rounding has no time to grow."""
    few, many = (records(config(training__epochs=2, replicates=k))[-1].networks for k in (2, 4))
    losses = [
        {(r["arm"], r["network"]): r["train_loss"] for r in rows if r["level"] == 0 and r["network"] < 2}
        for rows in (few, many)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_networks_that_did_not_fit_have_no_auc_and_the_reason_is_said() -> None:
    summary = records(config(training__epochs=1, training__lr=1e-6))[-1]
    assert "compressibility/auc" not in summary.metrics
    assert "did not fit" in summary.notes["undefined/compressibility/auc"]
    assert summary.metrics["contrast/pairs"] == 0
    assert "3 of 3 pairs" in summary.notes["contrast/excluded"]
    assert "contrast/auc" not in summary.metrics


def test_each_level_says_how_long_its_exported_network_takes() -> None:
    trial = config(compression__target_ratio=16.0, model__width=512, training__epochs=1, replicates=1, control=False)
    latency = [record.metrics["cost/latency_ms"] for record in records(trial) if record.stage == "level"]
    assert len(latency) == 3
    assert 0 < latency[2] < latency[0], "a sixteenth of 300,000 parameters"
