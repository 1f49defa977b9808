"""What every model keeps: its arithmetic is that of the networks it builds, and each network stands alone."""

import math

import pytest
import torch
from torch import Tensor, nn

from trainables.config import ModelConfig
from trainables.seeding import generator
from trainables.stack import network
from trainables.stack.interfaces import MODELS, Model
from trainables.stack.model import StackedModel
from trainables.stack.plan import units_of
from trainables.stack.planned import PlannedModel
from trainables.training.losses import cross_entropy

SHAPE, CLASSES, WIDTH = (1, 8, 8), 10, 12


@pytest.fixture(params=MODELS.names())
def model(request: pytest.FixtureRequest) -> Model:
    return MODELS.get(request.param)()


@pytest.fixture(params=["one by one", "grouped"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions of every size run in this way."""
    monkeypatch.setitem(network.GROUPED_BELOW, "cpu", 0.0 if request.param == "one by one" else math.inf)


def build(model: Model, networks: int = 3, dropout: float = 0.0, **fields: float | str) -> StackedModel:
    config = ModelConfig.model_validate({"width": WIDTH, "dropout": dropout, **fields})
    return model.build(config, model.widths(config), SHAPE, CLASSES, [generator(1, k) for k in range(networks)])


def lived_in(model: Model, networks: int = 3) -> StackedModel:
    """A stack with statistics and biases of its own, as training leaves them."""
    stack = build(model, networks).train()
    with torch.no_grad():
        for step in range(20):
            stack(images(networks, step))
        for name, tensor in stack.tensors().items():
            if name.endswith("bias"):
                tensor.copy_(torch.stack([0.1 * torch.randn(tensor[0].shape, generator=generator(4)) for _ in tensor]))
    return stack.eval()


def images(networks: int, seed: int = 2) -> Tensor:
    return torch.randn(1, 6, *SHAPE, generator=generator(seed)).expand(networks, -1, -1, -1, -1)


def labels(networks: int) -> Tensor:
    return torch.randint(CLASSES, (6,), generator=generator(3)).expand(networks, -1)


def copies(stack: StackedModel) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in stack.tensors().items()}


def test_counts_are_those_of_the_network(model: Model) -> None:
    stack = build(model)
    alone = stack.unstack(0)
    found = sum(parameter.numel() for parameter in alone.parameters())
    assert model.parameter_count(stack.widths, SHAPE, CLASSES) == found == stack.parameters_per_network


def test_multiply_adds_are_those_of_the_network(model: Model) -> None:
    stack = build(model)
    products = 0

    def count(layer: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> None:
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


@pytest.mark.usefixtures("_way")
def test_unstacked_networks_say_what_the_stack_says(model: Model) -> None:
    stack = lived_in(model)
    together = stack(images(3))
    assert together.shape == (3, 6, CLASSES)
    assert together.std(dim=0).min() > 1e-3
    for k in range(3):
        assert torch.allclose(stack.unstack(k)(images(1)[0]), together[k], atol=1e-5)


def test_a_network_depends_on_its_generator_alone(model: Model) -> None:
    few, many = build(model, 2, 0.5).tensors(), build(model, 5, 0.5).tensors()
    assert all(torch.equal(few[name], many[name][:2]) for name in few)


def test_the_same_seed_gives_the_same_bits(model: Model) -> None:
    one, other = build(model).tensors(), build(model).tensors()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.usefixtures("_way")
def test_gradients_are_those_of_ordinary_networks(model: Model) -> None:
    """One training step: logits, losses, gradients and statistics, however the stack runs its networks."""
    stack = lived_in(model).train()
    ordinary = [stack.unstack(k).train() for k in range(3)]
    logits, losses, gradients = stack.gradients(images(3), labels(3), cross_entropy)
    for k, alone in enumerate(ordinary):
        said = alone(images(1)[0])
        loss = nn.functional.cross_entropy(said, labels(1)[0])
        assert torch.allclose(logits[k], said, atol=1e-4)
        assert losses[k].mean().item() == pytest.approx(loss.item(), abs=1e-4)
        wanted = torch.autograd.grad(loss, list(alone.parameters()))
        for found, expected in zip(gradients, wanted, strict=True):
            mine = found[k].t() if found.ndim == 3 and expected.ndim == 2 else found[k].reshape(expected.shape)
            assert torch.allclose(mine, expected, rtol=1e-3, atol=1e-4)
        after = stack.unstack(k).state_dict()
        for name, buffer in alone.named_buffers():
            if "running" in name:
                assert torch.allclose(after[name], buffer, atol=1e-4)


@pytest.mark.usefixtures("_way")
def test_differentiated_outputs_have_the_gradients_of_a_step(model: Model) -> None:
    stack = lived_in(model)
    _, _, gradients = stack.gradients(images(3), labels(3), cross_entropy)
    losses = nn.functional.cross_entropy(stack(images(3)).flatten(0, 1), labels(3).flatten(), reduction="none")
    wanted = torch.autograd.grad(losses.view(3, -1).mean(1).sum(), list(stack.parameters()))
    for found, expected in zip(gradients, wanted, strict=True):
        assert torch.allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("_way")
def test_evaluation_never_mutates(model: Model) -> None:
    stack = build(model, 3, 0.5)
    before = copies(stack)
    assert torch.equal(stack(images(3)), stack(images(3)))
    assert all(torch.equal(before[name], tensor) for name, tensor in stack.tensors().items())
    assert not stack.training
    assert not any(part.training for part in stack.unstack(0).modules())


@pytest.mark.usefixtures("_way")
def test_dropout_does_not_depend_on_how_many_there_are(model: Model) -> None:
    few, many = build(model, 2, 0.5).train(), build(model, 4, 0.5).train()
    first = many(images(4))
    assert torch.allclose(few(images(2)), first[:2], atol=1e-4)
    assert not torch.allclose(many(images(4)), first, atol=1e-2)


def test_init_scale_multiplies_the_weights(model: Model) -> None:
    one, small = build(model).tensors(), build(model, init_scale=0.3).tensors()
    weights = [name for name, tensor in one.items() if name.endswith("weight") and tensor.ndim > 2]
    assert len(weights) > 1
    assert all(torch.allclose(0.3 * one[name], small[name]) for name in weights)


def test_glorot_weights_have_the_deviation_that_torch_gives_them(model: Model) -> None:
    """The same draws, so that the quotient of the deviations is exact; fans as torch counts them."""
    he, glorot = (build(model, init=init).unstack(0) for init in ("he", "glorot"))
    layers = [
        pair for pair in zip(he.modules(), glorot.modules(), strict=True) if isinstance(pair[0], nn.Linear | nn.Conv2d)
    ]
    assert len(layers) > 1
    for one, other in layers:
        fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(one.weight)
        assert torch.allclose(other.weight, one.weight * (fan_in / (fan_in + fan_out)) ** 0.5, rtol=1e-5)


def test_every_group_can_be_cut_and_no_output_is(model: Model) -> None:
    stack = build(model)
    keep = [torch.arange(max(1, width - 1)).repeat(3, 1) for width in stack.widths]
    small = stack.keep_units(keep)
    assert small.widths == tuple(max(1, width - 1) for width in stack.widths)
    assert small(images(3)).shape == (3, 6, CLASSES)
    assert small.parameters_per_network == model.parameter_count(small.widths, SHAPE, CLASSES)


def test_shrunken_networks_say_what_the_masked_ones_say(model: Model) -> None:
    """A masked unit is silent: nothing leads into it, neither bias nor batch norm gives it a voice."""
    stack = lived_in(model)
    keep = []
    for group, units in zip(stack.groups, stack.widths, strict=True):
        orders = [torch.randperm(units, generator=generator(5, k, group.name)) for k in range(3)]
        keep.append(torch.stack(orders)[:, : max(1, units // 2)])
    tensors = copies(stack)
    for group, units, index in zip(stack.groups, stack.widths, keep, strict=True):
        mask = torch.zeros(3, units).scatter_(1, index, 1.0)
        own = [cut for cut in group.others if tensors[cut.tensor][0].squeeze().ndim < 2]
        for cut in (*group.incoming, *own):
            shape = [1] * tensors[cut.tensor].ndim
            shape[0], shape[cut.axis] = 3, units
            tensors[cut.tensor] *= mask.view(shape)
    masked, small = stack.with_tensors(tensors), stack.keep_units(keep)
    assert torch.allclose(small(images(3)), masked(images(3)), atol=1e-5)
    assert torch.allclose(small.unstack(1)(images(1)[0]), masked(images(3))[1], atol=1e-5)
    assert not torch.allclose(small(images(3)), stack(images(3)), atol=1e-2)


def test_width_is_the_models_own_unless_given(model: Model) -> None:
    name = type(model).__module__.rpartition(".")[2]
    config = ModelConfig(name=name)
    assert config.width == model.default_width
    if isinstance(model, PlannedModel):
        plan, published = model.plan(32, 0.0), model.published_units()
        assert dict(zip(units_of(plan), model.widths(config), strict=True)) == published
        doubled = model.widths(ModelConfig(name=name, width=2 * config.width))
        assert doubled[-1] == 2 * model.widths(config)[-1]
    if "hidden_layers" not in model.reads:
        with pytest.raises(ValueError, match=rf"{name} has its own layers"):
            ModelConfig(name=name, hidden_layers=3)
