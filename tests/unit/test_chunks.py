"""Pieces of work are bounded by memory and by time."""

import torch

from trainables.config import ModelConfig
from trainables.interfaces import MODELS
from trainables.seeding import generator
from trainables.stack.model import StackedModel
from trainables.training.chunks import examples_at_once
from trainables.training.inputs import Inputs


def inputs(*shape: int) -> Inputs:
    return Inputs(
        torch.zeros(1, 2, *shape, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64), torch.zeros(shape[0])
    )


def stack(name: str, *shape: int) -> StackedModel:
    config = ModelConfig.model_validate({"name": name})
    model = MODELS.get(name)()
    return model.build(config, model.widths(config), shape, 10, [generator(k) for k in range(4)])


def test_small_networks_are_bounded_by_memory() -> None:
    mlp = stack("mlp", 1, 28, 28)
    assert examples_at_once(mlp, inputs(1, 28, 28), 8 << 20) == (8 << 20) // (4 * 784 * 4)


def test_large_ones_by_time() -> None:
    network = stack("resnet20", 3, 32, 32)
    assert network.multiply_adds == 40_813_184 + the_rest(network)
    assert examples_at_once(network, inputs(3, 32, 32), 1 << 30) == 10**10 // (4 * network.multiply_adds)
    assert examples_at_once(network, inputs(3, 32, 32), 1 << 30, passes=3) == 10**10 // (12 * network.multiply_adds)


def test_there_is_always_one() -> None:
    assert examples_at_once(stack("mlp", 1, 28, 28), inputs(1, 28, 28), 1) == 1


def the_rest(network: StackedModel) -> int:
    """Parameters that are no weights of a convolution or an affine map: batch norm's and the classifier's bias."""
    return sum(p[0].numel() for name, p in network.named_parameters() if p.ndim < 3 or name.endswith("bias"))
