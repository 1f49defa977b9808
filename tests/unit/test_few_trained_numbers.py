"""Weights that few trained numbers are spread over: the map, how weights start, and that networks learn."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine import config, records
from trainables.compression.course import new_workspace
from trainables.compression.spreading import cosines_for, hashed_for, subspace_for
from trainables.data.trial_data import trial_data
from trainables.progress import Progress
from trainables.seeding import generator
from trainables.stack.generated import GeneratedStack
from trainables.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace() -> Workspace:
    trial = config(model__width=64, replicates=2)
    return new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))


@pytest.mark.parametrize("make", [hashed_for, cosines_for])
def test_few_numbers_make_all_weights_which_start_as_usual(workspace: Workspace, make: Any) -> None:
    shape = workspace.fresh(workspace.model.widths(workspace.config.model), "test", 1)
    spread = make(workspace, shape, shape.parameters_per_network / 3)
    numbers = spread.start([generator(1, k) for k in range(workspace.networks)])
    made = spread.weights(numbers)
    assert made.keys() == {"layers.0.weight", "layers.1.weight"}
    for name, weights in made.items():
        assert weights.shape == shape.tensors()[name].shape
        assert numbers[name.replace(".", "/")].shape[1] < 0.4 * weights[0].numel()
        assert weights.std().item() == pytest.approx((2 / weights.shape[1]) ** 0.5, rel=0.1)
        doubled = spread.weights({name: 2 * tensor for name, tensor in numbers.items()})[name]
        torch.testing.assert_close(doubled, 2 * weights)
    alone = spread.weights({name: tensor[1:2] for name, tensor in numbers.items()})
    assert all(torch.allclose(alone[name][0], made[name][1], atol=1e-6) for name in made)


def test_a_hash_gives_as_many_values_as_it_says(workspace: Workspace) -> None:
    shape = workspace.fresh(workspace.model.widths(workspace.config.model), "test", 1)
    spread = hashed_for(workspace, shape, shape.parameters_per_network / 3)
    weights = spread.weights(spread.start([generator(1, 0)]))["layers.1.weight"]
    count = spread.counts["layers.1.weight"]
    assert 0.95 * count < len(weights.abs().unique()) < count, "a bucket in 40 is empty: exp(-64 · 64/count)"


def test_a_subspace_starts_where_networks_start_and_steps_go_as_far_as_dense_ones(workspace: Workspace) -> None:
    shape = workspace.fresh(workspace.model.widths(workspace.config.model), "test", 1)
    spread = subspace_for(workspace, shape, 1000.7)
    numbers = spread.start([generator(1, k) for k in range(workspace.networks)])
    assert numbers["coordinates"].shape == (workspace.networks, 1000)
    made = spread.weights({**numbers, **spread.fixed_numbers})
    assert made.keys() == dict(shape.named_parameters()).keys()
    assert all(torch.equal(made[name], tensor) for name, tensor in shape.named_parameters())
    everything = torch.cat([*spread.directions.values()])
    assert everything.shape == (shape.parameters_per_network, 1000)
    step = torch.randn(shape.parameters_per_network, generator=generator(2))
    there_and_back = everything @ (everything.mT @ step)
    assert (there_and_back @ step / step.square().sum()).item() == pytest.approx(1.0, rel=0.1)
    moved = spread.weights({"coordinates": torch.ones(workspace.networks, 1000), **spread.fixed_numbers})
    bias = moved["layers.0.bias"] - made["layers.0.bias"]
    torch.testing.assert_close(bias[0, 0], spread.directions["layers.0.bias"].sum(1), rtol=1e-3, atol=1e-4)


def test_networks_of_a_subspace_are_selected_with_their_own_start(workspace: Workspace) -> None:
    shape = workspace.fresh(workspace.model.widths(workspace.config.model), "test", 1)
    spread = subspace_for(workspace, shape, 50)
    numbers = {"coordinates": torch.randn(workspace.networks, 50, generator=generator(3))}
    both = GeneratedStack(shape, numbers, spread.weights, spread.fixed_numbers)
    one = both.select([1])
    x = torch.randn(workspace.networks, 7, *workspace.input_shape, generator=generator(4))
    torch.testing.assert_close(one(x[1:2])[0], both(x)[1], rtol=1e-4, atol=1e-3)
    assert both.parameters_per_network == 50


@pytest.mark.parametrize("method", ["hashed_trained", "dct_trained", "subspace"])
def test_few_trained_numbers_learn_the_rule(method: str) -> None:
    trial = config(
        **{f"compression__{method}": {"epochs": 60}},
        compression__method=method,
        compression__depth=1,
        compression__target_ratio=4.0,
        data__label_noise=0.0,
        model__width=64,
        training__epochs=60,
        training__batch_size=25,
        replicates=1,
    )
    level = [record for record in records(trial) if record.stage == "level"][-1].metrics
    assert level["level/ratio"] >= 4
    assert level["level/train_accuracy"] > 0.9
