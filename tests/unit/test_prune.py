"""Pruning inside a trial: what criteria get to see, and levels made in several steps."""

from pathlib import Path

import pytest
import torch

from tests.engine import config, records
from trainables.compression.course import new_workspace
from trainables.compression.evidence import scoring
from trainables.compression.interfaces import CRITERIA, METHODS, Level
from trainables.config import TrialConfig
from trainables.data.trial_data import trial_data
from trainables.pausing import finish
from trainables.progress import Progress
from trainables.stack.model import StackedModel
from trainables.workspace import Workspace


def workspace_of(trial: TrialConfig) -> Workspace:
    return new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))


def everything(stack: StackedModel) -> list[torch.Tensor]:
    return [torch.arange(width).repeat(stack.networks, 1) for width in stack.widths]


def test_the_sample_is_training_data_with_labels_as_given() -> None:
    workspace = workspace_of(config(data__train_size=100))
    seen = scoring(workspace, workspace.initial(), None, 1)
    inputs, labels = seen.sample.inputs, seen.sample.labels
    assert inputs.shape == (6, 100, 1, 8, 8)
    assert torch.equal(inputs[:3], inputs[3:]), "twins see the same examples"
    training = workspace.train_inputs.slice(0, 100).flatten(2)
    for k in range(6):
        found = (inputs[k].flatten(1)[:, None] == training[k][None]).all(dim=2)
        assert found.any(dim=1).all()
        given = workspace.data.labels[k][found.int().argmax(dim=1)]
        assert (given == labels[k]).double().mean() > 0.95, "but for examples that are in the set twice"
    assert (labels[:3] != labels[3:]).any()
    assert seen.sample is scoring(workspace, workspace.initial(), None, 2).sample, "the same at every level"


def test_initial_weights_are_those_of_the_units_that_are_left() -> None:
    workspace = workspace_of(config())
    dense = workspace.initial()
    kept = [torch.tensor([[1, 5, 7]] * 6), torch.tensor([[0, 2]] * 6)]
    seen = scoring(workspace, dense.keep_units(kept), kept, 1)
    for name, tensor in dense.keep_units(kept).tensors().items():
        assert torch.equal(seen.initial.tensors()[name], tensor)
    with pytest.raises(ValueError, match="no initial weights"):
        _ = scoring(workspace, dense, None, 1).initial


@pytest.mark.parametrize("steps", [1, 3, 50])
def test_steps_end_at_the_level_and_score_anew(steps: int) -> None:
    trial = config(compression__criterion="synflow", **{"compression.prune.steps": steps})
    workspace = workspace_of(trial)
    stack = workspace.initial()
    level = Level(1, workspace.level_widths[1], stack, everything(stack))
    made = finish(METHODS.get("prune")(steps=steps).compress(workspace, level))
    assert made.stack.widths == workspace.level_widths[1]
    assert made.origin is not None
    expected = stack.keep_units(made.origin).tensors()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in made.stack.tensors().items())


@pytest.mark.parametrize("criterion", [n for n in CRITERIA.names() if n != "batch_norm_scale"])
@pytest.mark.parametrize("direction", ["lowest", "highest"])
def test_a_trial_with_every_criterion(criterion: str, direction: str) -> None:
    trial = config(
        compression__criterion=criterion, compression__direction=direction, training__epochs=2, data__label_noise=0.0
    )
    levels = [record for record in records(trial) if record.stage == "level"]
    assert len(levels) == 3
    assert levels[-1].metrics["level/ratio"] >= 4
