"""Erf units: against torch's own formula, finite differences and the closed form of their moments."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch.func import functional_call

from tests.engine import CLASSES
from trainables.config import ModelConfig
from trainables.datasets.teacher import Teacher
from trainables.export.loader import build
from trainables.export.plain import describe_layers, plain_layers
from trainables.looking.activations import activations
from trainables.models.committee import Committee
from trainables.noises.added import Added
from trainables.seeding import generator
from trainables.stack.model import StackedModel

CONFIG = ModelConfig(name="committee", width=5)


def committee(networks: int = 2, outgoing: str = "drawn", outputs: int = 3) -> StackedModel:
    entry = Committee.model_validate({"outgoing": outgoing})
    draws = [generator(0, "init", network) for network in range(networks)]
    return entry.build(CONFIG, (5,), (1, 1, 7), outputs, draws)


def test_outputs_are_the_formula() -> None:
    stack = committee()
    x = torch.randn(2, 9, 1, 1, 7, generator=generator(0, "x"))
    tensors = [tensor.detach().double() for tensor in stack.tensors().values()]
    first, bias, second, shift = tensors
    normal = torch.distributions.Normal(0.0, 1.0)
    # erf(u/√2) = 2 Φ(u) − 1
    expected = (2 * normal.cdf(x.flatten(2).double() @ first + bias) - 1) @ second + shift
    assert torch.allclose(stack(x).double(), expected, atol=1e-6)
    assert Committee().parameter_count((5,), (1, 1, 7), 3) == 7 * 5 + 5 + 5 * 3 + 3


def test_a_second_layer_of_ones_adds_up() -> None:
    stack = committee(outgoing="ones", outputs=1)
    *_, last = (tensor for name, tensor in stack.tensors().items() if name.endswith(".weight"))
    assert torch.equal(last, torch.ones(2, 5, 1))
    drawn, ones = (next(iter(committee(outgoing=kind, outputs=1).tensors().values())) for kind in ("drawn", "ones"))
    assert torch.equal(drawn, ones), "the first layer is the same"


def test_responses_and_their_slopes_are_those_of_the_network() -> None:
    stack = committee().double()
    x = torch.randn(2, 6, 1, 1, 7, generator=generator(0, "x")).double()
    labels = torch.randint(3, (2, 6), generator=generator(0, "y"))
    found = activations(stack, stack.groups[0], x, labels, CLASSES.graph_loss)
    names = list(stack.tensors())
    first, bias, second, shift = (stack.tensors()[name].detach() for name in names)
    hidden = torch.erf((x.flatten(2) @ first + bias) / math.sqrt(2)).requires_grad_()
    loss = torch.nn.functional.cross_entropy((hidden @ second + shift).flatten(0, 1), labels.flatten(), reduction="sum")
    (slopes,) = torch.autograd.grad(loss, hidden)
    assert (found.values < 0).any(), "erf units answer on both sides"
    assert torch.allclose(found.values[..., 0], hidden.detach().mT)
    assert torch.allclose(found.slopes[..., 0], slopes.mT)


def test_an_exported_one_says_the_same() -> None:
    stack = committee()
    layers = plain_layers(stack.unstack(1))
    network = build({"input": {"mean": [0.0], "scale": 1.0}, "layers": describe_layers(layers)})
    weights = {f"{place + 1}.{name}": t for place, one in enumerate(layers) for name, t in one.state_dict().items()}
    x = torch.randn(9, 1, 1, 7, generator=generator(0, "x"))
    said = functional_call(network, weights, (x,))
    assert torch.allclose(said, stack(x.expand(2, -1, -1, -1, -1))[1], atol=1e-6)


def test_a_teacher_of_ones_says_the_plain_sum_of_its_units() -> None:
    teacher = Teacher(task="regression", features=400, units=3, activation="erf", second="ones", examples=20_000)
    inputs, said, outputs = teacher.draw()
    assert outputs == 1
    weights = teacher.teacher_units().double()
    fields = torch.from_numpy(inputs).flatten(1).double() @ weights.T
    assert torch.allclose(torch.from_numpy(said)[:, 0].double(), torch.erf(fields / math.sqrt(2)).sum(1), atol=1e-5)
    # ⟨g(u)g(v)⟩ = (2/π) arcsin(q_uv/√((1 + q_uu)(1 + q_vv))): Saad & Solla 1995, equation 9
    overlaps = weights @ weights.T
    own = 1 + overlaps.diagonal()
    variance = (2 / math.pi) * torch.asin(overlaps / torch.sqrt(own[:, None] * own)).sum()
    assert abs(float(said.var()) - float(variance)) < 5 * float(variance) * math.sqrt(2 / len(said))


def test_ones_are_for_one_number() -> None:
    with pytest.raises(ValidationError, match="second: ones makes all outputs the same"):
        Teacher(second="ones")
    with pytest.raises(ValidationError, match="second"):
        Teacher(task="regression", outputs=2, second="ones")


def test_added_noise_has_its_deviation_in_its_share_and_is_nested() -> None:
    targets = torch.randn(40_000, 2, generator=generator(0, "targets"))
    noise = Added(deviation=0.5)
    some, all_of_them = (noise.numbers(targets, share, generator(0, "noise")) - targets for share in (0.25, 1.0))
    touched = some.ne(0).any(dim=1)
    assert abs(touched.double().mean() - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 40_000)
    assert torch.equal(some[touched], all_of_them[touched])
    assert abs(all_of_them.std() - 0.5) < 5 * 0.5 / math.sqrt(2 * 80_000)
    assert abs(all_of_them.mean()) < 5 * 0.5 / math.sqrt(80_000)
