"""Every option of a training against an ordinary network that PyTorch itself trains."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.engine import CLASSES, config, labels, orders, pixels, records, stack, training
from trainables.compression.masks import apply_masks
from trainables.config import TrainingConfig
from trainables.pausing import finish
from trainables.precision import check
from trainables.stack import layers
from trainables.stack.layers import StackedLinear
from trainables.stack.mlp import StackedMLP
from trainables.training.augmentation import augment_images, draw_changes
from trainables.training.examples import Examples
from trainables.training.loop import Training
from trainables.training.losses import cross_entropy
from trainables.training.updates import clip
from trainables.trial import TrialContext, run_to_level


def trained(model: StackedMLP, **recipe: Any) -> Training:
    task = training(model, **recipe)
    while not task.is_finished:
        finish(task.run_epoch())
    return task


def by_torch(
    network: int, epochs: int, *, clip_norm: float = 0.0, l1: float = 0.0, **options: Any
) -> list[torch.Tensor]:
    """The parameters of one network of `stack`, trained by torch on batches of 30."""
    reference = stack().unstack(network)
    smoothing = options.pop("label_smoothing", 0.0)
    optimizer = torch.optim.SGD(reference.parameters(), lr=0.05, momentum=0.9, **options)
    images = pixels().gather(torch.arange(100).expand(1, 3, 100))[0]
    for epoch in range(epochs):
        for batch in orders(epoch, [network])[0].split(30):
            optimizer.zero_grad()
            out = reference(images[network, batch])
            F.cross_entropy(out, labels()[network, batch], label_smoothing=smoothing).backward()
            if clip_norm:
                torch.nn.utils.clip_grad_norm_(reference.parameters(), clip_norm)
            for parameter in reference.parameters():
                assert parameter.grad is not None
                parameter.grad += l1 * parameter.detach().sign()
            optimizer.step()
    return [parameter.detach() for parameter in reference.parameters()]


@pytest.mark.parametrize(
    "options",
    [{"nesterov": True}, {"clip_norm": 0.3}, {"l1": 0.01}, {"label_smoothing": 0.3}, {"weight_decay": 0.05}],
    ids=lambda options: next(iter(options)),
)
def test_a_network_trains_as_torch_would_train_it(options: dict[str, Any]) -> None:
    model = stack()
    trained(model, **options)
    plain = by_torch(0, 3)
    for network in range(3):
        expected = by_torch(network, 3, **options)
        for found, wanted in zip(model.unstack(network).parameters(), expected, strict=True):
            assert torch.allclose(found, wanted, atol=1e-4)
    assert not all(torch.allclose(a, b, atol=1e-3) for a, b in zip(plain, by_torch(0, 3, **options), strict=True))


def test_each_network_is_clipped_by_its_own_norm() -> None:
    draws = torch.Generator().manual_seed(0)
    gradients = [torch.randn(2, 3, 4, generator=draws), torch.randn(2, 1, 4, generator=draws)]
    for gradient in gradients:
        gradient[0] *= 0.01
    before = [gradient.clone() for gradient in gradients]
    clip(gradients, 1.0)
    assert all(torch.equal(one[0], other[0]) for one, other in zip(gradients, before, strict=True))
    norm = torch.stack([gradient[1].square().sum() for gradient in gradients]).sum().sqrt()
    assert norm == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("sizes", [(20, 16, 12, 10), (20, 9, 24, 30)])
def test_the_backward_pass_of_an_mlp_is_that_of_autograd(dropout: float, sizes: tuple[int, ...]) -> None:
    def model() -> StackedMLP:
        made = StackedMLP(sizes, 1.0, [torch.Generator().manual_seed(k) for k in range(3)], dropout)
        return made.train()

    x = torch.randn(3, 8, 20, generator=torch.Generator().manual_seed(9))
    y = torch.randint(10, (3, 8), generator=torch.Generator().manual_seed(8))
    logits, losses, gradients = model().gradients(x, y, cross_entropy)
    found: dict[int, torch.Tensor] = {}

    def use(places: Sequence[int], given: Sequence[torch.Tensor], networks: slice | None) -> None:
        assert networks is None
        found.update((place, gradient.clone()) for place, gradient in zip(places, given, strict=True))

    seen = model().descend(x, y, cross_entropy, use)
    assert torch.allclose(seen[0], logits, atol=1e-6)
    assert torch.allclose(seen[1], losses, atol=1e-6)
    assert sorted(found) == list(range(len(gradients)))
    for place, gradient in enumerate(gradients):
        assert torch.allclose(found[place], gradient, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"optimizer": "adam", "l1": 0.01}], ids=["sgd", "adam"])
def test_gradients_used_up_network_by_network_change_nothing(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    def after_training() -> dict[str, torch.Tensor]:
        model = StackedMLP((64, 16, 20, 10), 1.0, [torch.Generator().manual_seed(k) for k in range(3)])
        masks = {"layers.0.weight": torch.rand(3, 64, 16, generator=torch.Generator().manual_seed(7)) > 0.5}
        recipe = TrainingConfig(epochs=2, batch_size=30, **options)
        examples = Examples(pixels(features=64), labels(), CLASSES)
        going = Training(apply_masks(model, masks), examples, recipe, orders, masks=masks)
        while not going.is_finished:
            finish(going.run_epoch())
        return going.model.tensors()

    at_once = after_training()
    monkeypatch.setattr(layers, "_PIECE_BYTES", 2 * 4 * 64 * 16)
    assert StackedLinear(torch.zeros(3, 64, 16), torch.zeros(3, 1, 16)).gradients_at_once == 2
    assert StackedLinear(torch.zeros(3, 63, 17), torch.zeros(3, 1, 17)).gradients_at_once == 3
    for name, tensor in after_training().items():
        assert torch.equal(tensor, at_once[name])


def test_so_many_steps_and_no_more() -> None:
    """Four batches an epoch: six steps end in the middle of the second one."""
    model = stack()
    task = trained(model, epochs=400, steps=6)
    assert (task.steps, task.epoch, task.seen, task.stop_reasons) == (6, 2, 60, ["steps"] * 3)
    reference = stack().unstack(0)
    optimizer = torch.optim.SGD(reference.parameters(), lr=0.05, momentum=0.9)
    images = pixels().gather(torch.arange(100).expand(1, 3, 100))[0]
    batches = [*orders(0, [0])[0].split(30), *orders(1, [0])[0].split(30)][:6]
    for batch in batches:
        optimizer.zero_grad()
        F.cross_entropy(reference(images[0, batch]), labels()[0, batch]).backward()
        optimizer.step()
    for found, wanted in zip(model.unstack(0).parameters(), reference.parameters(), strict=True):
        assert torch.allclose(found, wanted, atol=1e-4)


def test_augmentation_is_mirroring_then_moving() -> None:
    images = torch.randn(6, 2, 16, 20, generator=torch.Generator().manual_seed(0))
    changes = draw_changes("flip+crop", 6, 16, torch.Generator().manual_seed(1))
    assert changes[:, :2].abs().max() == 2
    assert set(changes[:, 2].tolist()) == {0, 1}
    for image, change, found in zip(images, changes.tolist(), augment_images(images, changes), strict=True):
        down, right, mirrored = change
        padded = F.pad(image.flip(2) if mirrored else image, (2, 2, 2, 2))
        assert torch.equal(found, padded[:, 2 - down : 18 - down, 2 - right : 22 - right])


@pytest.mark.parametrize(("kind", "constant"), [("flip", slice(0, 2)), ("crop", slice(2, 3))])
def test_only_what_was_asked_for_is_drawn(kind: str, constant: slice) -> None:
    changes = draw_changes(kind, 200, 32, torch.Generator().manual_seed(0))
    assert not changes[:, constant].any()
    assert changes.any()


def test_augmented_networks_see_other_images_and_do_not_depend_on_the_stack() -> None:
    def losses(networks: int, augment: bool) -> list[float]:
        def changes(epoch: int, active: list[int]) -> torch.Tensor:
            one = torch.stack([torch.zeros(100), torch.zeros(100), torch.arange(100) % 2], dim=1).long()
            return one.expand(len(active), -1, -1)

        examples = Examples(pixels(networks), labels(networks), CLASSES)
        recipe = TrainingConfig(epochs=2, batch_size=30, stop_at_train_loss=None)
        task = Training(stack(networks), examples, recipe, orders, changes=changes if augment else None)
        while not task.is_finished:
            finish(task.run_epoch())
        return task.running_losses[:2]

    assert losses(2, True) == pytest.approx(losses(3, True), rel=1e-4)
    assert losses(2, True) != pytest.approx(losses(2, False), rel=1e-3)


def test_augmentation_is_refused_where_memorisation_is_measured() -> None:
    with pytest.raises(ValueError, match="memorising them is not measured"):
        config(training__augment="flip")
    with pytest.raises(ValueError, match="memorising them is not measured"):
        config(training__augment="crop", data__label_noise=0.0, data__inputs="gaussian")
    ended = records(config(training__augment="flip+crop", data__label_noise=0.0, training__epochs=2))
    assert ended[-1].stage == "summary"


def test_bad_combinations_name_the_field() -> None:
    with pytest.raises(ValueError, match="steps and epochs exclude each other"):
        TrainingConfig.model_validate({"steps": 5, "epochs": 7})
    with pytest.raises(ValueError, match="optimizer=sgd, momentum>0"):
        TrainingConfig(nesterov=True, optimizer="adam")


def test_other_precisions_need_a_gpu() -> None:
    check("fp32", torch.device("cpu"))
    with pytest.raises(ValueError, match="--gpus-per-trial"):
        training(stack(), precision="bf16")


def test_layers_that_do_not_train_stay_as_they_were_drawn() -> None:
    trial = config(training__trains="first", training__epochs=3, training__stop_at_train_loss=None)
    workspace = finish(run_to_level(trial, TrialContext(0, Path("no-data-needed")), 0))
    before, after = workspace.initial().tensors(), workspace.networks_here().tensors()
    moved = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert moved == {"layers.0.weight", "layers.0.bias"}
    with pytest.raises(ValueError, match=r"weight_decay=0.1 would move layers that trains=first leaves"):
        config(training__trains="first", training__weight_decay=0.1)
