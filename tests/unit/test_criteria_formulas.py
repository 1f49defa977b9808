"""Criteria against formulas written out, against autograd on ordinary networks, and against torch-pruning."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.engine import scoring, stack
from trainables.compression.criteria.taylor import unit_products
from trainables.compression.interfaces import CRITERIA
from trainables.looking.scoring import Scoring
from trainables.stack.mlp import StackedMLP

WEIGHTS = ("layers.0.weight", "layers.1.weight", "layers.2.weight")


def model() -> StackedMLP:
    """Three networks with biases."""
    made = stack()
    for index, layer in enumerate(made.layers):
        torch.nn.init.normal_(layer.bias, std=0.3, generator=torch.Generator().manual_seed(index))
    return made


def linears(network: nn.Module) -> list[nn.Linear]:
    return [module for module in network.modules() if isinstance(module, nn.Linear)]


def loss_of(seen: Scoring, network: nn.Module, k: int, reduction: str = "mean") -> Tensor:
    return functional.cross_entropy(network(seen.sample.inputs[k]), seen.sample.labels[k], reduction=reduction)


def scores_of(name: str, seen: Scoring, tensor: str, k: int, **fields: object) -> Tensor:
    """Laid out as an ordinary layer's weight."""
    return CRITERIA.get(name)(**fields).weight_scores(seen, tensor)[k].t()


def test_snip_and_gradient_are_autograds() -> None:
    seen = scoring(model())
    for k in range(3):
        start, now = seen.initial.unstack(k), seen.stack.unstack(k)
        loss_of(seen, start, k).backward()
        loss_of(seen, now, k).backward()
        for tensor, before, after in zip(WEIGHTS, linears(start), linears(now), strict=True):
            assert before.weight.grad is not None
            assert after.weight.grad is not None
            snip = (before.weight * before.weight.grad).abs()
            assert torch.allclose(scores_of("snip", seen, tensor, k), snip, atol=1e-7)
            assert torch.allclose(scores_of("gradient", seen, tensor, k), after.weight.grad.abs(), atol=1e-7)
            trained = (after.weight * after.weight.grad).abs()
            assert torch.allclose(scores_of("snip", seen, tensor, k, at="trained"), trained, atol=1e-7)


@pytest.mark.parametrize("temperature", [1.0, 200.0])
def test_grasp_is_autograds(temperature: float) -> None:
    seen = scoring(model())
    for k in range(3):
        network = seen.initial.unstack(k).double()
        parameters = list(network.parameters())
        logits = network(seen.sample.inputs[k].double()) / temperature
        loss = functional.cross_entropy(logits, seen.sample.labels[k])
        gradients = torch.autograd.grad(loss, parameters, create_graph=True)
        # Half the squared norm of the gradient has H g as its gradient.
        flow = torch.stack([g.square().sum() for g in gradients]).sum() / 2
        products = dict(zip(parameters, torch.autograd.grad(flow, parameters), strict=True))
        for tensor, layer in zip(WEIGHTS, linears(network), strict=True):
            expected = layer.weight * products[layer.weight]
            found = scores_of("grasp", seen, tensor, k, temperature=temperature).double()
            assert torch.allclose(found, expected, rtol=1e-3, atol=1e-4 * float(expected.detach().abs().max()))


def test_synflow_is_the_product_of_absolute_weights() -> None:
    seen = scoring(model())
    for k in range(3):
        matrices = [layer.weight.detach().double().abs() for layer in linears(seen.initial.unstack(k))]
        one, two, three = matrices
        reach = [torch.ones(20).double(), one @ torch.ones(20).double()]
        reach.append(two @ reach[1])
        ways = [torch.ones(10).double() @ three @ two, torch.ones(10).double() @ three, torch.ones(10).double()]
        for tensor, matrix, before, after in zip(WEIGHTS, matrices, reach, ways, strict=True):
            assert torch.allclose(scores_of("synflow", seen, tensor, k), matrix * torch.outer(after, before))
    flows = [CRITERIA.get("synflow")().weight_scores(seen, tensor).sum(dim=(1, 2)) for tensor in WEIGHTS]
    assert torch.allclose(flows[0], flows[2]), "the same flow goes through every layer"
    assert "sample" not in vars(seen)


def test_fisher_is_the_mean_square_of_single_gradients() -> None:
    seen = scoring(model())
    for k in range(3):
        network = seen.stack.unstack(k)
        parameters = [layer.weight for layer in linears(network)]
        totals = [torch.zeros_like(p) for p in parameters]
        for x, y in zip(seen.sample.inputs[k][:30], seen.sample.labels[k][:30], strict=True):
            loss = functional.cross_entropy(network(x[None]), y[None])
            for total, gradient in zip(totals, torch.autograd.grad(loss, parameters), strict=True):
                total.add_(gradient.square() / 30)
        for tensor, weight, total in zip(WEIGHTS, parameters, totals, strict=True):
            assert torch.allclose(
                scores_of("fisher", seen, tensor, k, examples=30), weight.square() * total / 2, rtol=1e-4, atol=1e-9
            )


def test_taylor_is_the_change_of_the_loss_to_first_order() -> None:
    """Shrinking all that leads into a unit by ε changes the loss by −ε Σ g·w."""
    seen = scoring(model())
    epsilon = 1e-4
    for place, group in enumerate(seen.stack.groups):
        products = unit_products(seen, group)
        assert torch.allclose(CRITERIA.get("taylor")().scores(seen, group), products.square())
        network = seen.stack.unstack(1).double()
        inputs, labels = seen.sample.inputs[1].double(), seen.sample.labels[1]
        layer = linears(network)[place]
        before = functional.cross_entropy(network(inputs), labels)
        for unit in range(products.shape[1]):
            with torch.no_grad():
                layer.weight[unit] *= 1 - epsilon
                layer.bias[unit] *= 1 - epsilon
                change = functional.cross_entropy(network(inputs), labels) - before
                layer.weight[unit] /= 1 - epsilon
                layer.bias[unit] /= 1 - epsilon
            assert change / epsilon == pytest.approx(-float(products[1, unit]), abs=1e-4)


def test_taylor_of_activations_is_that_of_the_weights_example_by_example() -> None:
    seen = scoring(model())
    group = seen.stack.groups[1]
    answers = seen.activations(group)
    summed = (answers.values * answers.slopes).sum(dim=(2, 3)) / seen.sample.count
    assert torch.allclose(summed, unit_products(seen, group), atol=1e-6)
    expected = (answers.values * answers.slopes)[..., 0].abs().mean(dim=2)
    assert torch.allclose(CRITERIA.get("taylor")(form="activation").scores(seen, group), expected)


def test_movement_is_what_small_steps_of_gradient_descent_add_up() -> None:
    seen = scoring(model())
    k, rate = 0, 0.01
    network = seen.stack.unstack(k).double()
    inputs, labels = seen.sample.inputs[k].double(), seen.sample.labels[k]
    parameters = list(network.parameters())
    start = [p.detach().clone() for p in parameters]
    added = [torch.zeros_like(p) for p in parameters]
    for _ in range(100):
        gradients = torch.autograd.grad(functional.cross_entropy(network(inputs), labels), parameters)
        with torch.no_grad():
            for p, g, total in zip(parameters, gradients, added, strict=True):
                total.sub_(rate * p * g)
                p.sub_(rate * g)
    for p, before, total in zip(parameters, start, added, strict=True):
        ends = (p.detach().square() - before.square()) / 2
        assert torch.allclose(total, ends, atol=2e-2 * float(ends.abs().max()))


def test_movement_untraced_and_distance_look_at_both_ends() -> None:
    seen = scoring(model())
    now, then = (stack.tensors()[WEIGHTS[0]] for stack in (seen.stack, seen.initial))
    assert torch.equal(CRITERIA.get("movement")().weight_scores(seen, WEIGHTS[0]), now**2 - then**2)
    group = seen.stack.groups[0]
    distance = CRITERIA.get("distance_from_initialisation")()
    assert torch.allclose(distance.scores(seen, group), (now - then).norm(dim=1))
    assert torch.equal(distance.weight_scores(seen, WEIGHTS[0]), (now - then).abs())


def test_activation_statistics_of_one_unit() -> None:
    seen = scoring(model())
    group = seen.stack.groups[0]
    values = torch.stack([seen.stack.unstack(k)[:3](seen.sample.inputs[k]) for k in range(3)])
    expected = {
        "activation_mean": values.mean(dim=1),
        "activation_variance": values.var(dim=1, correction=0),
        "apoz": (values > 0).double().mean(dim=1),
    }
    for name, scores in expected.items():
        assert torch.allclose(CRITERIA.get(name)().scores(seen, group), scores, atol=1e-6), name


def test_correlation_is_numpys_and_a_constant_unit_goes_first() -> None:
    seen = scoring(model())
    seen.stack.tensors()["layers.0.bias"][:, :, 0] = -100.0
    values = torch.stack([seen.stack.unstack(k)[:3](seen.sample.inputs[k]) for k in range(3)])
    scores = CRITERIA.get("correlation")().scores(seen, seen.stack.groups[0])
    assert scores[:, 0].tolist() == [0.0] * 3
    for k in range(3):
        alive = (values[k].var(dim=0) > 0).nonzero()[:, 0]
        r = torch.corrcoef(values[k][:, alive].double().t()).abs().fill_diagonal_(0)
        assert torch.allclose(scores[k, alive], 1 - r.sum(dim=1) / 15, atol=1e-6)


def test_redundancy_of_three_directions() -> None:
    """Two units point the same way, one the opposite way of none, one is zero."""
    made = stack(1, sizes=(2, 4, 10))
    weights = torch.tensor([[3.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    made.tensors()["layers.0.weight"][0] = weights.t()
    seen, group = scoring(made, input_shape=(1, 1, 2)), made.groups[0]
    assert CRITERIA.get("cosine")().scores(seen, group).tolist() == [[0.0, 0.0, 1.0, 0.0]]
    assert CRITERIA.get("frame_potential")().scores(seen, group).tolist() == [[-1.0, -1.0, 0.0, -3.0]]
    distances = [4 + math.sqrt(13) + 3, 4 + math.sqrt(5) + 1, math.sqrt(13) + math.sqrt(5) + 2, 3 + 1 + 2]
    assert CRITERIA.get("fpgm")().scores(seen, group)[0].tolist() == pytest.approx(distances)


def test_lamp_on_five_weights() -> None:
    made = stack(1, sizes=(5, 1, 10))
    made.tensors()["layers.0.weight"][0, :, 0] = torch.tensor([1.0, -2.0, 0.0, 2.0, 3.0])
    scores = CRITERIA.get("lamp")().weight_scores(scoring(made, input_shape=(1, 1, 5)), "layers.0.weight")
    assert scores[0, :, 0].tolist() == pytest.approx([1 / 18, 4 / 17, 0.0, 4 / 13, 1.0])
