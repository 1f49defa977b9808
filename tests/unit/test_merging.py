"""Repeated units can go without a trace, and the order in which units are folded."""

from pathlib import Path

import pytest
import torch

from tests.engine import config, records
from trainables.compression.course import new_workspace
from trainables.compression.interfaces import Level
from trainables.compression.merging import merge_to
from trainables.compression.pipeline import pipeline_of
from trainables.data.task import task_of
from trainables.data.trial_data import trial_data
from trainables.pausing import finish
from trainables.progress import Progress
from trainables.stack.model import StackedModel
from trainables.summary.levels import level_metrics
from trainables.workspace import Workspace


def workspace_of(**fields: object) -> Workspace:
    trial = config(replicates=2, compression__method="merge", compression__depth=1, **fields)
    return new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))


def doubled(workspace: Workspace, factor: float) -> StackedModel:
    """Each unit of the first half has a twin in the second, whose activations are `factor` times its own."""
    stack = workspace.initial()
    tensors = {name: tensor.clone() for name, tensor in stack.tensors().items()}
    for group in stack.groups:
        for cut in (*group.incoming, *(c for c in group.others if c.tensor.endswith("bias"))):
            moved = tensors[cut.tensor].movedim(cut.axis, 0)
            half = len(moved) // 2
            moved[half:] = factor * moved[:half]
    return stack.with_tensors(tensors)


@pytest.mark.parametrize("name", ["mlp", "conv2", "conv4"])
@pytest.mark.parametrize(("factor", "fitted"), [(1.0, False), (1.0, True), (0.5, True)])
def test_twins_are_folded_without_a_trace(name: str, factor: float, fitted: bool) -> None:
    workspace = workspace_of(model__name=name, model__width=8)
    stack = doubled(workspace, factor)
    widths = tuple(width // 2 for width in stack.widths)
    origin = [torch.arange(width).repeat(stack.networks, 1) for width in stack.widths]
    made = finish(merge_to(workspace, Level(1, widths, stack, origin), fitted=fitted))
    assert made.stack.widths == widths
    inputs = workspace.train_inputs.slice(0, 40)
    assert torch.allclose(made.stack(inputs), stack(inputs), rtol=1e-4, atol=1e-4)
    assert made.metrics["merged_correlation"].tolist() == pytest.approx([1.0] * workspace.networks, abs=1e-5)
    assert made.origin is not None
    for units, width in zip(made.origin, widths, strict=True):
        assert all(row == sorted(set(row)) and len(row) == width for row in units.tolist())


def test_without_a_slope_twins_of_other_size_leave_a_trace() -> None:
    workspace = workspace_of(model__width=8)
    stack = doubled(workspace, 0.5)
    made = finish(merge_to(workspace, Level(1, (4, 4), stack, None), fitted=False))
    inputs = workspace.train_inputs.slice(0, 40)
    assert (made.stack(inputs) - stack(inputs)).abs().max() > 0.05
    assert made.origin is None


@pytest.mark.parametrize("fitted", [False, True])
def test_silent_units_go_first_and_leave_nothing(fitted: bool) -> None:
    workspace = workspace_of(model__width=8)
    stack = workspace.initial()
    tensors = {name: tensor.clone() for name, tensor in stack.tensors().items()}
    tensors["layers.0.bias"][:, :, [1, 5]] = -1e3
    stack = stack.with_tensors(tensors)
    origin = [torch.arange(8).repeat(stack.networks, 1) for _ in range(2)]
    made = finish(merge_to(workspace, Level(1, (6, 8), stack, origin), fitted=fitted))
    assert made.origin is not None
    assert made.origin[0].tolist() == [[0, 2, 3, 4, 6, 7]] * workspace.networks
    assert made.metrics["merged_constant"].tolist() == [1.0] * workspace.networks
    assert made.metrics["merged_correlation"].isnan().all(), "what never changes correlates with nothing"
    inputs = workspace.train_inputs.slice(0, 40)
    assert torch.allclose(made.stack(inputs), stack(inputs), atol=1e-5)


def test_networks_that_fold_only_silent_units_have_no_correlation_and_a_reason() -> None:
    """Where one of three networks folds nothing else the others' mean is told, where all do nothing is."""
    trial = config(compression__method="merge", model__width=12)
    metrics = {"merged_correlation": [0.5, float("nan"), 0.7, *[float("nan")] * 3]}
    found = records(trial)
    start = [row for row in found[-1].networks if row["level"] == 0]
    level = [row for row in found[-1].networks if row["level"] == 1]
    values, notes = level_metrics(
        level, start, metrics, task_of(trial.data), pipeline_of(trial.compression).undefined_reasons
    )
    assert values["level/merged_correlation"] == pytest.approx(0.6)
    assert notes["networks/level/merged_correlation"].startswith("2 of 3: in all pairs")
    assert "control/level/merged_correlation" not in values
    assert notes["undefined/control/level/merged_correlation"].startswith("in all pairs that were folded")
