"""The small AlexNet: its published size, and its outputs by functions of torch alone."""

import torch
from torch.nn import functional

from trainables.config import ModelConfig
from trainables.models.alexnet_small import AlexNetSmall
from trainables.seeding import generator


def test_it_has_as_many_parameters_as_in_table_1_of_the_paper() -> None:
    model = AlexNetSmall()
    assert model.parameter_count(model.widths(ModelConfig(name="alexnet_small")), (3, 28, 28), 10) == 1_387_786


def test_outputs_are_those_of_two_convolutions_with_overlapping_maxima_and_three_affine_maps() -> None:
    config = ModelConfig(name="alexnet_small", width=4)
    widths = AlexNetSmall().widths(config)
    stack = AlexNetSmall().build(config, widths, (3, 13, 13), 5, [generator(0, "init", k) for k in range(2)])
    x = torch.randn(6, 3, 13, 13, generator=generator(0, "x"))
    for network in range(2):
        seen, tensors = x, [tensor[network] for _, tensor in stack.named_parameters()]
        for weight, bias in zip(tensors[0:4:2], tensors[1:4:2], strict=True):
            seen = functional.max_pool2d(functional.conv2d(seen, weight, bias, padding=2).relu(), 3, 2, 1)
        seen = seen.flatten(1)
        for place in (4, 6, 8):
            seen = seen @ tensors[place] + tensors[place + 1]
            seen = seen.relu() if place < 8 else seen
        assert torch.allclose(stack(x.expand(2, -1, -1, -1, -1))[network], seen, atol=1e-5)
