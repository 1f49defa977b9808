"""Plans, batch norm, dropout and the training of convolutional stacks."""

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from trainables.config import ModelConfig, TrainingConfig
from trainables.models.resnet20 import ResNet20
from trainables.models.wide_resnet import WideResNet
from trainables.pausing import finish
from trainables.precision import exact
from trainables.seeding import generator
from trainables.stack import dropout
from trainables.stack.batch_norm import StackedBatchNorm
from trainables.stack.dropout import StackedDropout
from trainables.stack.model import StackedModel
from trainables.stack.network import StackedNetwork
from trainables.stack.plan import trace, units_of
from trainables.stack.step import CLASSES, Plan
from trainables.stack.steps import BatchNorm, Conv, Linear, MaxPool, ReLU, Residual
from trainables.tasks.classification import Classification
from trainables.training.examples import Examples
from trainables.training.inputs import Inputs
from trainables.training.loop import Training
from trainables.training.losses import cross_entropy

SHAPE, SIZES = (1, 6, 6), {"a": 4, "b": 5, CLASSES: 3}
BLOCK: Plan = (Conv("a", bias=False), BatchNorm(), ReLU())
BODY: Plan = (Conv("b"), BatchNorm(), ReLU(), Conv("a"), BatchNorm())
PLAN: Plan = (*BLOCK, Residual(BODY), ReLU(), MaxPool(), Linear(CLASSES))


def draws(networks: int) -> list[torch.Generator]:
    return [generator(7, k) for k in range(networks)]


def stack(networks: int = 3) -> StackedNetwork:
    return StackedNetwork(PLAN, (4, 5), SHAPE, 3, init_scale=1.0, draws=draws(networks))


def training(model: StackedModel, **recipe: object) -> Training:
    images = torch.randint(256, (1, 41, *SHAPE), dtype=torch.uint8, generator=generator(8))
    labels = torch.stack([torch.randint(3, (41,), generator=generator(9, k)) for k in range(model.networks)])
    inputs = Inputs(images, torch.zeros(model.networks, dtype=torch.int64), torch.tensor([127.0]))
    given = TrainingConfig.model_validate({"epochs": 6, "batch_size": 10, "stop_at_train_loss": None, **recipe})
    return Training(model, Examples(inputs, labels, Classification()), given, orders)


def orders(epoch: int, networks: Sequence[int]) -> Tensor:
    return torch.stack([torch.randperm(41, generator=generator(10, epoch, k)) for k in networks])


def test_units_are_named_in_the_order_they_are_made() -> None:
    assert units_of(PLAN) == ("a", "b")
    first = ("stream_1", "block_1_1", "block_1_2", "block_1_3", "block_2_1", "stream_2")
    assert units_of(ResNet20().plan(32, 0.0))[:6] == first


def test_residual_ways_must_fit() -> None:
    with pytest.raises(ValueError, match=r"the body makes .*'b'.* the shortcut .*'a'"):
        trace((Conv("a"), Residual((Conv("b"),)), Linear(CLASSES)), SIZES, SHAPE)


def test_images_may_be_too_small() -> None:
    with pytest.raises(ValueError, match="images of 6 × 6 pixels are too small"):
        trace((MaxPool(), MaxPool(), MaxPool()), SIZES, SHAPE)


def test_sizes_must_fit_the_groups() -> None:
    with pytest.raises(ValueError, match=r"2 groups \(a, b\) need 2 widths, not 1"):
        StackedNetwork(PLAN, (4,), SHAPE, 3, init_scale=1.0, draws=draws(1))


def test_coupled_channels_are_cut_together() -> None:
    stream, inside = stack().groups
    assert stream.weights == ("steps.0.weight", "steps.3.body.3.weight")
    assert inside.weights == ("steps.3.body.0.weight",)
    assert ("steps.6.weight", 1, 9) in [(cut.tensor, cut.axis, cut.repeat) for cut in stream.others]
    incoming = stack().incoming_weights(stream)
    assert incoming.shape == (3, 4, 9 + 5 * 9)
    weights = stack().tensors()
    assert torch.equal(incoming[1, 2, :9], weights["steps.0.weight"][1, 2].flatten())
    assert torch.equal(incoming[1, 2, 9:], weights["steps.3.body.3.weight"][1, 2].flatten())


def test_every_stage_of_a_wide_resnet_is_a_group_of_its_own() -> None:
    config = ModelConfig.model_validate({"name": "wide_resnet", "width": 16})
    model = WideResNet(depth=10)
    groups = model.build(config, model.widths(config), (1, 8, 8), 10, draws(1)).groups
    assert [group.name for group in groups] == [
        *("stem", "block_1_1", "stream_1", "block_2_1", "stream_2", "block_3_1", "stream_3")
    ]
    assert [len(group.incoming) for group in groups] == [1, 1, 2, 1, 2, 1, 2]


@pytest.mark.parametrize("depth", [12, 15])
def test_depth_of_a_wide_resnet(depth: int) -> None:
    with pytest.raises(ValueError, match="nearest are 10 and 16"):
        WideResNet(depth=depth)


def test_a_single_value_has_no_spread() -> None:
    """Its own statistics would make it 0, whatever it is; torch refuses it."""
    layer = StackedBatchNorm(2, 3).train()
    x = torch.randn(1, 6, 1, 1, generator=generator(11))
    assert torch.allclose(layer(x), x, atol=1e-4)
    assert not layer.running_mean.any()


def test_dropout_keeps_the_mean_and_the_share() -> None:
    layer = StackedDropout(0.3, draws(4)).train()
    ones = torch.ones(4, 100, 250)
    out = layer(ones)
    assert torch.allclose(out.unique(), torch.tensor([0.0, 1 / 0.7]))
    # 25,000 draws a network: the standard error of a share is 0.0029; 5 of them.
    assert ((out == 0).double().mean((1, 2)) - 0.3).abs().max() < 0.0145
    again = layer(ones)
    masks = torch.cat([out, again]).flatten(1) == 0
    correlations = torch.corrcoef(masks.double()).triu(1).abs()
    # Masks of different networks and of different uses have nothing in common: standard error 0.0063.
    assert correlations.max() < 0.032


def test_dropout_of_images_is_that_of_each_network_alone() -> None:
    x = torch.ones(5, 3 * 2, 4, 4)
    together = StackedDropout(0.5, draws(3)).train()(x)
    alone = StackedDropout(0.5, draws(3)[:1]).train()(x[:, :2])
    assert torch.equal(together[:, :2], alone)
    assert not torch.equal(together[:, 2:4], together[:, :2])


@pytest.mark.parametrize("shape", [(3, 4, 5), (4, 3 * 2, 5, 5)], ids=["units", "channels"])
def test_masks_drawn_ahead_are_those_that_would_be_drawn_one_by_one(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five uses, of which memory holds two, then a batch of another size."""
    monkeypatch.setattr(dropout, "_MASK_BYTES", 2 * 4 * math.prod(shape))
    ahead, single = (StackedDropout(0.4, draws(3)).train() for _ in range(2))
    x = torch.ones(shape)
    expected = [single(x) for _ in range(5)]
    with dropout.masks_ahead(ahead, 5):
        found = [ahead(x) for _ in range(5)]
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert len({tuple(one.flatten().tolist()) for one in found}) == 5
    assert torch.equal(ahead(x[:, :2] if x.ndim == 3 else x[:2]), single(x[:, :2] if x.ndim == 3 else x[:2]))
    assert torch.equal(ahead.uses, single.uses)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_dropout_rates(rate: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        StackedDropout(rate, draws(1))


def test_a_curve_does_not_depend_on_how_many_there_are() -> None:
    curves = []
    for networks in (1, 2, 4):
        model = stack(networks)
        trained = training(model, epochs=10)
        losses = []
        while not trained.is_finished:
            finish(trained.run_epoch())
            losses.append(trained.running_losses[0])
        curves.append(losses)
    assert curves[0] == pytest.approx(curves[1], rel=1e-3)
    assert curves[0] == pytest.approx(curves[2], rel=1e-3)
    assert curves[0][-1] < 0.8 * curves[0][0]


def test_training_is_in_training_mode_and_leaves_it() -> None:
    model = stack()
    before = model.tensors()["steps.1.running_mean"].clone()
    finish(training(model).run_epoch())
    assert not any(module.training for module in model.modules())
    assert not torch.equal(model.tensors()["steps.1.running_mean"], before)


def test_frozen_networks_keep_their_statistics() -> None:
    """Network 1 has one label only: it fits first, and nothing of it changes afterwards."""
    model = stack()
    trained = training(model, epochs=25, stop_at_train_loss=0.2, lr=0.02)
    trained.examples.targets[1] = 1
    while trained.stop_reasons[1] is None:
        finish(trained.run_epoch())
    assert trained.stop_reasons[0] is None
    frozen = {name: tensor[1].clone() for name, tensor in model.tensors().items()}
    other = model.tensors()["steps.1.running_mean"][0].clone()
    finish(trained.run_epoch())
    trained.write_back()
    assert all(torch.equal(tensor[1], frozen[name]) for name, tensor in model.tensors().items())
    assert not torch.equal(model.tensors()["steps.1.running_mean"][0], other)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_says_what_the_cpu_says() -> None:
    exact()
    x, y = torch.randn(3, 8, *SHAPE, generator=generator(12)), torch.randint(3, (3, 8), generator=generator(13))
    expected = stack().train().gradients(x, y, cross_entropy)
    found = stack().cuda().train().gradients(x.cuda(), y.cuda(), cross_entropy)
    assert torch.allclose(found[0].cpu(), expected[0], atol=1e-4)
    for mine, its in zip(expected[2], found[2], strict=True):
        assert torch.allclose(its.cpu(), mine, atol=1e-4)
