"""What every model keeps: its arithmetic is that of the networks it builds, and each network stands alone."""

import pytest
import torch
from torch import nn

from trainables.config import ModelConfig
from trainables.interfaces import MODELS, Model
from trainables.seeding import generator
from trainables.stack.model import StackedModel

SHAPE, CLASSES = (1, 8, 8), 10


@pytest.fixture(params=MODELS.names())
def model(request: pytest.FixtureRequest) -> Model:
    return MODELS.get(request.param)()


def build(model: Model, networks: int = 3, scale: float = 1.0) -> StackedModel:
    widths = model.widths(ModelConfig(width=24))
    return model.build(widths, SHAPE, CLASSES, scale, [generator(1, k) for k in range(networks)])


def images(networks: int) -> torch.Tensor:
    return torch.randn(1, 6, *SHAPE, generator=generator(2)).expand(networks, -1, -1, -1, -1)


def test_counts_are_those_of_the_network(model: Model) -> None:
    stack = build(model)
    alone = stack.unstack(0)
    found = sum(parameter.numel() for parameter in alone.parameters())
    assert model.parameter_count(stack.widths, SHAPE, CLASSES) == found == stack.parameters_per_network


def test_multiply_adds_are_those_of_the_network(model: Model) -> None:
    stack = build(model)
    products = 0

    def count(layer: nn.Module, given: tuple[torch.Tensor, ...], result: torch.Tensor) -> None:
        nonlocal products
        if isinstance(layer, nn.Linear):
            products += layer.weight.numel()
        elif isinstance(layer, nn.Conv2d):
            products += layer.weight.numel() * result.shape[2] * result.shape[3]

    alone = stack.unstack(0)
    for part in alone.modules():
        if isinstance(part, nn.Linear | nn.Conv2d):
            part.register_forward_hook(count)
    alone(images(1)[0, :1])
    assert model.multiply_adds(stack.widths, SHAPE, CLASSES) == products


def test_unstacked_networks_say_what_the_stack_says(model: Model) -> None:
    stack = build(model).eval()
    together = stack(images(3))
    assert together.shape == (3, 6, CLASSES)
    for network in range(3):
        alone = stack.unstack(network).eval()
        assert torch.allclose(alone(images(1)[0]), together[network], atol=1e-5)


def test_a_network_depends_on_its_generator_alone(model: Model) -> None:
    few, many = build(model, 2).tensors(), build(model, 5).tensors()
    assert all(torch.equal(few[name], many[name][:2]) for name in few)


def test_init_scale_multiplies_the_weights(model: Model) -> None:
    one, small = build(model).tensors(), build(model, scale=0.3).tensors()
    assert all(torch.allclose(0.3 * one[name], small[name]) for name in one if name.endswith("weight"))


def test_every_group_can_be_cut_and_no_output_is(model: Model) -> None:
    stack = build(model)
    keep = [torch.arange(width - 1).repeat(3, 1) for width in stack.widths]
    small = stack.keep_units(keep)
    assert small.widths == tuple(width - 1 for width in stack.widths)
    assert small(images(3)).shape == (3, 6, CLASSES)
    assert small.parameters_per_network == model.parameter_count(small.widths, SHAPE, CLASSES)
