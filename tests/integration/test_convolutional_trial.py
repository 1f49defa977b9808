"""Whole trials of convolutional networks."""

import itertools
from pathlib import Path

import pytest
import torch

from tests.engine import config, records, run
from trainables.checkpoints import CheckpointStore
from trainables.compression.course import new_workspace
from trainables.compression.interfaces import CompressionResult
from trainables.data.trial_data import trial_data
from trainables.pausing import finish
from trainables.progress import Progress
from trainables.recalibration import recalibrate
from trainables.record import Record
from trainables.seeding import generator
from trainables.trial import TrialContext, run_trial

CONV2 = {"model__name": "conv2", "model__width": 4, "training__epochs": 12, "training__lr": 0.02, "replicates": 2}
RESNET = {"model__name": "resnet20", "model__width": 4, "training__epochs": 15, "data__label_noise": 0, "replicates": 2}


def levels(found: list[Record]) -> list[dict[str, float]]:
    return [record.metrics for record in found if record.stage == "level"]


def without_costs(record: Record) -> dict[str, float]:
    return {name: value for name, value in record.metrics.items() if not name.startswith("cost/")}


def test_conv2_learns_the_digits_and_shrinks() -> None:
    found = records(config(**{**CONV2, "data__label_noise": 0}))
    dense, first, last = levels(found)
    assert dense["level/train_accuracy"] > 0.8
    assert dense["level/parameters"] > 2 * first["level/parameters"] > 3 * last["level/parameters"]
    assert last["level/speedup"] > 4 / 2
    assert found[-1].networks[-1]["widths"].count("+") == 3
    assert "level/stale_train_accuracy" not in last


def test_statistics_are_recalibrated_and_both_are_recorded() -> None:
    found = records(config(**RESNET))
    dense, first, last = levels(found)
    assert dense["level/train_accuracy"] > 0.9
    assert "level/stale_train_accuracy" not in dense
    for level in (first, last):
        assert {"level/stale_train_accuracy", "level/stale_val_accuracy", "level/stale_test_accuracy"} <= set(level)
    assert first["level/train_accuracy"] > first["level/stale_train_accuracy"]
    row = found[-1].networks[-1]
    assert row["level"] == 2
    assert 0 <= row["stale_train_accuracy"] <= 1


def test_recalibrated_statistics_are_those_of_the_batches() -> None:
    trial = config(**RESNET)
    workspace = new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))
    stack = workspace.initial()
    before = {name: tensor.clone() for name, tensor in stack.tensors().items()}
    after = finish(recalibrate(workspace, CompressionResult(stack, None))).stack
    assert all(torch.equal(before[name], tensor) for name, tensor in stack.tensors().items())
    assert not any(module.training for module in after.modules())
    order = torch.randperm(150, generator=generator(0, 0, "recalibration"))[:120]
    kernel = before["steps.0.weight"][1]
    x = workspace.train_inputs.slice(0, 150)[1][order]
    batches = torch.nn.functional.conv2d(x, kernel, padding=1).unflatten(0, (3, 40)).movedim(2, 1).flatten(2)
    assert torch.allclose(after.tensors()["steps.1.running_mean"][1], batches.mean(2).mean(0), atol=1e-5)
    assert torch.allclose(after.tensors()["steps.1.running_var"][1], batches.var(2).mean(0), rtol=1e-4)


@pytest.mark.parametrize("stop", [pytest.param(2, marks=pytest.mark.ends), 7])
def test_a_resumed_trial_ends_as_an_undisturbed_one(tmp_path: Path, stop: int) -> None:
    """In training (record 2) and between levels (7), with the statistics and the dropout masks it would have had."""
    trial = config(**{**RESNET, "training__epochs": 5, "model__dropout": 0.2, "data__label_noise": 0.5})
    going = (record for record in run(trial, CheckpointStore(tmp_path, 1, interval_s=0)) if record is not None)
    seen = list(itertools.islice(going, stop))
    going.close()
    expected = [without_costs(record) for record in records(trial)]
    assert [without_costs(record) for record in seen] == expected[:stop]
    resumed = run(trial, CheckpointStore(tmp_path, 2, interval_s=0))
    assert [without_costs(record) for record in resumed if record is not None] == expected


def test_conv2_on_mnist(mnist_dir: Path) -> None:
    trial = config(**{**CONV2, "data__name": "mnist", "data__split": (300, 100, 100), "training__epochs": 8})
    found = [record for record in run_trial(trial, TrialContext(0, mnist_dir)) if record is not None]
    assert len(levels(found)) == 3
    assert levels(found)[0]["control/level/train_accuracy"] > 0.5
