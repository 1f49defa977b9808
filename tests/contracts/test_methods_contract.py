"""What every compression method keeps: widths, the classifier's outputs, and no trace in what it started from."""

from pathlib import Path

import pytest
import torch

from tests.engine import config
from trainables.compression.course import new_workspace
from trainables.compression.interfaces import METHODS, CompressionResult, Level
from trainables.data.trial_data import trial_data
from trainables.pausing import finish
from trainables.progress import Progress
from trainables.workspace import Workspace


@pytest.fixture(params=METHODS.names())
def workspace(request: pytest.FixtureRequest) -> Workspace:
    trial = config(compression__method=request.param, compression__criterion="random")
    data = trial_data(trial, 0, Path("unused"))
    made = new_workspace(trial, 0, data, Progress(trial, 0, None))
    made.progress.level = 0
    return made


def compress(workspace: Workspace, level: Level) -> CompressionResult:
    return finish(METHODS.get(workspace.config.compression.method)().compress(workspace, level))


def first_level(workspace: Workspace) -> Level:
    stack = workspace.initial()
    origin = [torch.arange(width).repeat(workspace.networks, 1) for width in stack.widths]
    return Level(1, workspace.level_widths[1], stack, origin)


def test_networks_have_the_widths_of_their_level(workspace: Workspace) -> None:
    level = first_level(workspace)
    before = {name: tensor.clone() for name, tensor in level.previous.tensors().items()}
    made = compress(workspace, level)
    assert made.stack.widths == level.widths
    assert made.stack.networks == workspace.networks == 6
    size = (level.widths, workspace.input_shape, 10)
    assert made.stack.parameters_per_network == workspace.model.parameter_count(*size)
    images = workspace.val_inputs.slice(0, 5)
    assert made.stack(images).shape == (6, 5, 10)
    for tensor in made.stack.tensors().values():
        tensor.fill_(7)
    for name, tensor in level.previous.tensors().items():
        assert torch.equal(tensor, before[name]), "the new stack must share nothing with the last one"


def test_units_stay_those_of_the_dense_network(workspace: Workspace) -> None:
    """Kept sets are nested over levels, and `origin` says which units they are."""
    level = first_level(workspace)
    made = compress(workspace, level)
    if made.origin is None:
        pytest.skip("this method makes new units")
    if made.stack.widths == level.previous.widths:
        pytest.skip("this method keeps all units")
    assert level.origin is not None
    again = compress(workspace, Level(2, workspace.level_widths[2], made.stack, made.origin))
    assert again.origin is not None
    for first, second, start in zip(made.origin, again.origin, level.origin, strict=True):
        for network in range(workspace.networks):
            assert set(second[network].tolist()) < set(first[network].tolist()) < set(start[network].tolist())
    if workspace.config.compression.method != "prune":
        return
    expected = level.previous.keep_units(again.origin).tensors()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in again.stack.tensors().items())


def test_same_trial_same_bits(workspace: Workspace) -> None:
    one, other = (compress(workspace, first_level(workspace)).stack.tensors() for _ in range(2))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
