"""Our optimizers against torch.optim's, and the slicing of their state."""

import math
from typing import Any

import pytest
import torch

from trainables.config import TrainingConfig
from trainables.training.recipes import SCHEDULES, optimizer_of
from trainables.training.schedules import learning_rate

RECIPES: dict[str, tuple[dict[str, Any], type[torch.optim.Optimizer], dict[str, Any]]] = {
    "sgd": ({"optimizer": "sgd", "momentum": 0.9}, torch.optim.SGD, {"momentum": 0.9}),
    "nesterov": (
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        torch.optim.SGD,
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    ),
    "plain": (
        {"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.1},
        torch.optim.SGD,
        {"weight_decay": 0.1},
    ),
    "adam": ({"optimizer": "adam", "momentum": 0.8}, torch.optim.Adam, {"betas": (0.8, 0.999)}),
    "adamw": (
        {"optimizer": "adamw", "momentum": 0.9, "weight_decay": 0.1},
        torch.optim.AdamW,
        {"weight_decay": 0.1},
    ),
}


@pytest.mark.parametrize("name", RECIPES)
def test_steps_are_those_of_torch(name: str) -> None:
    fields, kind, options = RECIPES[name]
    draws = torch.Generator().manual_seed(0)
    mine = [torch.randn(4, 3, 2, generator=draws), torch.randn(4, 1, 2, generator=draws)]
    theirs = [parameter.clone().requires_grad_() for parameter in mine]
    ours = optimizer_of(recipe := TrainingConfig(**fields)).over(recipe, mine)
    reference = kind(theirs, lr=0.05, foreach=False, **options)
    for _ in range(5):
        gradients = [torch.randn(p.shape, generator=draws) for p in mine]
        # One place after the other, as the backward pass of an mlp hands them out.
        for place in (1, 0):
            ours.step((place,), [mine[place]], [gradients[place].clone()], 0.05)
        for parameter, gradient in zip(theirs, gradients, strict=True):
            parameter.grad = gradient
        reference.step()
    for one, other in zip(mine, theirs, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_selected_networks_go_on_as_if_nothing_had_happened(name: str) -> None:
    recipe = TrainingConfig(**RECIPES[name][0])
    draws = torch.Generator().manual_seed(0)
    whole = torch.randn(4, 3, 2, generator=draws)
    ours, steps = optimizer_of(recipe).over(recipe, [whole]), [torch.randn(4, 3, 2, generator=draws) for _ in range(4)]
    part: torch.Tensor | None = None
    other = optimizer_of(recipe).over(recipe, [whole])
    for number, gradient in enumerate(steps):
        if number == 2:
            part = whole[[3, 1]].clone()
            other.state = {key: [t.clone() for t in tensors] for key, tensors in ours.state.items()}
            other.select(torch.tensor([3, 1]))
        ours.step((0,), [whole], [gradient], 0.1)
        if part is not None:
            other.step((0,), [part], [gradient[[3, 1]]], 0.1)
    assert part is not None
    # Not bit for bit: vector and scalar instructions round differently, and which ones an element gets changes.
    assert torch.allclose(part, whole[[3, 1]], atol=1e-6)


def test_cosine_falls_from_the_peak_towards_zero() -> None:
    recipe = TrainingConfig(schedule="cosine", lr=0.2, epochs=4)
    rates = [learning_rate(recipe, epoch) for epoch in range(4)]
    assert rates == pytest.approx([0.2, 0.1707107, 0.1, 0.0292893], rel=1e-5)
    assert learning_rate(TrainingConfig(lr=0.2), 399) == 0.2


def test_steps_drop_the_rate_where_they_are_said_to() -> None:
    recipe = TrainingConfig(schedule="step", lr=0.2, epochs=8, step_at=(0.25, 0.75), step_factor=0.5)
    found = [learning_rate(recipe, epoch) for epoch in range(8)]
    parameter = torch.zeros(1, requires_grad=True)
    reference = torch.optim.SGD([parameter], lr=0.2)
    schedule = torch.optim.lr_scheduler.MultiStepLR(reference, milestones=[2, 6], gamma=0.5)
    for rate in found:
        assert rate == pytest.approx(reference.param_groups[0]["lr"])
        reference.step()
        schedule.step()


def test_warm_up_rises_step_by_step_to_the_schedule() -> None:
    recipe = TrainingConfig(lr=0.4, epochs=4, warmup_epochs=1.5, schedule="cosine")
    found = [learning_rate(recipe, epoch, batch, 4) for epoch in range(4) for batch in range(4)]
    cosine = recipe.model_copy(update={"warmup_epochs": 0.0})
    for step, rate in enumerate(found):
        assert rate == pytest.approx(learning_rate(cosine, step // 4, step % 4, 4) * min(1, (step + 1) / 6))


@pytest.mark.parametrize("schedule", SCHEDULES.names())
@pytest.mark.parametrize("length", [{"epochs": 3}, {"steps": 11}, {"steps": 3}])
def test_schedules_move_with_every_step_as_pytorchs_do(schedule: str, length: dict[str, int]) -> None:
    """Of 4 steps to an epoch; 3 steps are less than one epoch, over which a rate that waits for epochs stands still."""
    recipe = TrainingConfig(schedule=schedule, lr=0.3, step_at=(0.3, 0.7), step_factor=0.5, **length)
    steps = recipe.steps or 12
    reference = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    kinds = torch.optim.lr_scheduler
    theirs: dict[str, torch.optim.lr_scheduler.LRScheduler] = {
        "constant": kinds.ConstantLR(reference, factor=1.0, total_iters=steps),
        "cosine": kinds.CosineAnnealingLR(reference, T_max=steps),
        "step": kinds.MultiStepLR(reference, [math.ceil(at * steps - 1e-9) for at in recipe.step_at], gamma=0.5),
    }
    for step in range(steps):
        assert learning_rate(recipe, step // 4, step % 4, 4) == pytest.approx(reference.param_groups[0]["lr"])
        reference.step()
        theirs[schedule].step()


def test_in_studies_of_earlier_versions_schedules_wait_for_epochs() -> None:
    recipe = TrainingConfig(schedule="cosine", lr=0.2, epochs=4)
    found = [learning_rate(recipe, epoch, batch, 4, by_epoch=True) for epoch in range(4) for batch in range(4)]
    assert found == [rate for epoch in range(4) for rate in [learning_rate(recipe, epoch, 0, 4)] * 4]


def test_steps_as_a_duration_stretch_the_schedule() -> None:
    """10 steps of 4 to an epoch are two and a half epochs."""
    recipe = TrainingConfig(lr=1.0, steps=10, schedule="step", step_at=(0.5,))
    assert [learning_rate(recipe, epoch, 0, 4) for epoch in range(3)] == pytest.approx([1.0, 1.0, 0.1])
