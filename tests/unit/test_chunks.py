"""Pieces of work are bounded by memory and by time."""

import pytest
import torch

from tests.counting_device import counting_device
from trainables.config import ModelConfig
from trainables.device import prepare
from trainables.seeding import generator
from trainables.stack.interfaces import MODELS
from trainables.stack.layers import StackedLinear
from trainables.stack.model import StackedModel
from trainables.stack.spatial import StackedConv
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


@pytest.mark.parametrize("name", ["mlp", "conv2", "resnet20"])
def test_on_a_gpu_a_layer_of_all_examples_takes_a_small_part_of_its_memory(name: str) -> None:
    """conv2 makes 64 channels of one: by their inputs alone 26,000 examples at once would take 64 of 80 GB."""
    shape, seen = (1, 28, 28), inputs(1, 28, 28)
    with counting_device(memory_bytes=80 << 30):
        device = torch.device("cuda")
        prepare(device)
        network = stack(name, *shape)
        outputs = largest(network, shape)
        assert network.largest_layer == outputs
        here = Inputs(seen.images.to(device), seen.source.to(device), seen.mean.to(device))
        found = examples_at_once(network, here, 1)
        assert 4 * outputs * network.networks * found <= (80 << 30) / 16
        assert 4 * 784 * network.networks * found <= (80 << 30) / 256
        assert found >= 5_000, "but enough to keep it busy"


def largest(network: StackedModel, shape: tuple[int, ...]) -> int:
    """Values of the largest output of a layer with units, of one network and one example, by looking."""
    sizes: list[int] = []

    def hear(module: torch.nn.Module, _inputs: object, output: torch.Tensor) -> None:
        sizes.append(output.numel() // len(next(module.parameters())))

    for module in network.modules():
        if isinstance(module, StackedLinear | StackedConv):
            module.register_forward_hook(hear)
    with torch.no_grad():
        network(torch.zeros(network.networks, 1, *shape))
    return max(sizes)


def test_there_is_always_one() -> None:
    assert examples_at_once(stack("mlp", 1, 28, 28), inputs(1, 28, 28), 1) == 1


def the_rest(network: StackedModel) -> int:
    """Parameters that are no weights of a convolution or an affine map: batch norm's and the classifier's bias."""
    return sum(p[0].numel() for name, p in network.named_parameters() if p.ndim < 3 or name.endswith("bias"))
