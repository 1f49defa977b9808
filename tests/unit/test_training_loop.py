"""The training loop: ordinary SGD for every network, each with its own end."""

import math

import pytest
import torch
import torch.nn.functional as F

from tests.engine import CLASSES, labels, orders, pixels, stack, training
from trainables.config import TrainingConfig
from trainables.errors import TrialDiverged
from trainables.pausing import finish
from trainables.stack.mlp import StackedMLP
from trainables.training.examples import Examples
from trainables.training.loop import Training


def train(task: Training) -> Training:
    while not task.is_finished:
        finish(task.run_epoch())
    return task


def weights(model: StackedMLP) -> list[torch.Tensor]:
    return [tensor.clone() for tensor in model.tensors().values()]


@pytest.mark.parametrize("classes", [10, 20])
def test_each_network_trains_as_an_ordinary_one(classes: int) -> None:
    model = stack(sizes=(20, 16, 12, classes))
    alone = [model.unstack(network) for network in range(3)]
    train(training(model))
    images = pixels().gather(torch.arange(100).expand(1, 3, 100))[0]
    for network, reference in enumerate(alone):
        optimizer = torch.optim.SGD(reference.parameters(), lr=0.05, momentum=0.9)
        for epoch in range(3):
            order = orders(epoch, [network])[0]
            for batch in order.split(30):
                optimizer.zero_grad()
                F.cross_entropy(reference(images[network, batch]), labels()[network, batch]).backward()
                optimizer.step()
        found = model.unstack(network)
        for one, other in zip(found.parameters(), reference.parameters(), strict=True):
            assert torch.allclose(one, other, atol=1e-4)


def test_first_fifty_losses_do_not_depend_on_how_many_networks_there_are() -> None:
    recipe = {"batch_size": 100, "epochs": 50}
    few, many = training(stack(2), **recipe), training(stack(7), **recipe)
    for _ in range(50):
        finish(few.run_epoch())
        finish(many.run_epoch())
        assert few.running_losses == pytest.approx(many.running_losses[:2], rel=1e-3)


def test_same_seed_same_bits() -> None:
    first, second = stack(), stack()
    train(training(first))
    train(training(second))
    assert all(torch.equal(one, other) for one, other in zip(weights(first), weights(second), strict=True))


def test_a_frozen_network_no_longer_changes_and_the_others_do_not_notice() -> None:
    model = stack()
    recipe = {"epochs": 12, "batch_size": 10}
    train(training(model, **recipe))
    losses = training(probe := stack(), **recipe)
    for _ in range(6):
        finish(losses.run_epoch())
    # A threshold that exactly the network with the lowest running loss meets, in epoch 6 at the latest.
    lowest, threshold = min(enumerate(losses.running_losses), key=lambda pair: pair[1])
    assert weights(probe)[0].shape == weights(model)[0].shape
    stopping_model = stack()
    stopping = training(stopping_model, **recipe, stop_at_train_loss=threshold + 1e-6)
    seen: list[torch.Tensor] | None = None
    while not stopping.is_finished:
        finish(stopping.run_epoch())
        if stopping.stop_reasons[lowest] is not None and seen is None:
            seen = [tensor[lowest] for tensor in weights(stopping_model)]
    assert stopping.stop_reasons[lowest] == "train_loss"
    assert stopping.epochs[lowest] <= 6
    assert seen is not None
    for frozen, final in zip(seen, weights(stopping_model), strict=True):
        assert torch.equal(frozen, final[lowest])
    slowest = max(range(3), key=lambda k: stopping.epochs[k])
    assert stopping.epochs[slowest] > stopping.epochs[lowest]
    straight = train(training(reference := stack(), **recipe | {"epochs": stopping.epochs[slowest]}))
    assert straight.epochs == [stopping.epochs[slowest]] * 3
    for one, other in zip(weights(stopping_model), weights(reference), strict=True):
        assert torch.allclose(one[slowest], other[slowest], atol=1e-4)


def test_stop_reasons() -> None:
    assert train(training(stack(), epochs=2)).stop_reasons == ["epochs"] * 3
    by_loss = train(training(stack(), stop_at_train_loss=100.0))
    assert (by_loss.stop_reasons, by_loss.epochs) == (["train_loss"] * 3, [1] * 3)
    by_accuracy = train(training(stack(), stop_at_train_accuracy=0.01))
    assert (by_accuracy.stop_reasons, by_accuracy.epochs) == (["train_accuracy"] * 3, [1] * 3)


@pytest.mark.parametrize(
    "rule", [{"stop_at_train_loss": 100.0}, {"stop_at_train_accuracy": 0.01}, {"stop_at_train_loss": 1e-9, "epochs": 1}]
)
def test_a_stop_rule_that_asks_for_little_is_no_fit(rule: dict[str, float]) -> None:
    assert train(training(stack(), **rule)).fitted_at == [None] * 3


def test_networks_have_fitted_when_they_fit_whatever_the_stop_rule_asks_for() -> None:
    recipe = {"epochs": 400, "lr": 0.1, "momentum": 0.9}
    usual = train(training(stack(), stop_at_train_loss=0.01, **recipe))
    assert None not in usual.fitted_at
    strict = train(training(stack(), stop_at_train_loss=0.003, **recipe))
    assert strict.fitted_at == usual.fitted_at == usual.epochs
    assert all(later > fit for later, fit in zip(strict.epochs, usual.epochs, strict=True))


def test_running_accuracy_counts_right_answers() -> None:
    """Batches of everything: the first epoch's running accuracy is that of the initial network."""
    model = stack()
    images = pixels().gather(torch.arange(100).expand(1, 3, 100))[0]
    accuracy = (model(images).argmax(dim=2) == labels()).double().mean(dim=1)
    just_met = training(stack(), batch_size=100, epochs=1, stop_at_train_accuracy=float(accuracy.median()))
    finish(just_met.run_epoch())
    expected = ["train_accuracy" if a >= accuracy.median() else "epochs" for a in accuracy]
    assert just_met.stop_reasons == expected


def test_more_examples_a_batch_than_there_are() -> None:
    assert train(training(stack(), batch_size=1000, epochs=1)).epochs == [1] * 3


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("pause", [1, 2, 4])
def test_restored_training_goes_on_bit_for_bit(optimizer: str, pause: int) -> None:
    recipe = {"epochs": 6, "optimizer": optimizer, "lr": 0.02, "batch_size": 10}
    probe = training(stack(), **recipe)
    for _ in range(3):
        finish(probe.run_epoch())
    # One or two of the three networks stop in the third epoch or earlier.
    recipe["stop_at_train_loss"] = sorted(probe.running_losses)[0] + 1e-6
    straight_model = stack()
    straight = train(training(straight_model, **recipe))
    assert len(set(straight.epochs)) > 1
    first = training(stack(), **recipe)
    for _ in range(pause):
        if not first.is_finished:
            finish(first.run_epoch())
    state = first.state()
    resumed_model = stack(seed=9)
    resumed = training(resumed_model, **recipe)
    resumed.restore(state)
    train(resumed)
    assert resumed.epochs == straight.epochs
    for one, other in zip(weights(resumed_model), weights(straight_model), strict=True):
        assert torch.equal(one, other)


def test_divergence_names_epoch_and_networks() -> None:
    with pytest.raises(TrialDiverged, match=r"epoch \d+ \(lr 1e\+30, sgd\), of all 3 networks"):
        train(training(stack(), lr=1e30, epochs=20))


def test_soft_targets_are_followed() -> None:
    teacher, student = stack(seed=4), stack(seed=5)
    images = pixels()
    answers = torch.softmax(teacher(images.gather(torch.arange(100).expand(1, 3, 100))[0]), dim=2).detach()
    recipe = TrainingConfig(epochs=60, batch_size=20, stop_at_train_loss=None)
    task = train(Training(student, Examples(images, answers, CLASSES, 1.0), recipe, orders))
    entropy = -(answers * answers.log()).sum(dim=2).mean(dim=1)
    assert all(math.isfinite(loss) for loss in task.running_losses)
    assert all(loss < e + 0.1 for loss, e in zip(task.running_losses, entropy.tolist(), strict=True))
