"""Our optimizers against torch.optim's, and the slicing of their state."""

from typing import Any

import pytest
import torch

from trainables.config import TrainingConfig
from trainables.training.optimizers import optimizer
from trainables.training.schedules import learning_rate

RECIPES: dict[str, tuple[dict[str, Any], type[torch.optim.Optimizer], dict[str, Any]]] = {
    "sgd": ({"optimizer": "sgd", "momentum": 0.9}, torch.optim.SGD, {"momentum": 0.9}),
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
    ours = optimizer(TrainingConfig(**fields), mine)
    reference = kind(theirs, lr=0.05, foreach=False, **options)
    for _ in range(5):
        gradients = [torch.randn(p.shape, generator=draws) for p in mine]
        ours.step(mine, [g.clone() for g in gradients], 0.05)
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
    ours, steps = optimizer(recipe, [whole]), [torch.randn(4, 3, 2, generator=draws) for _ in range(4)]
    part: torch.Tensor | None = None
    other = optimizer(recipe, [whole])
    for number, gradient in enumerate(steps):
        if number == 2:
            part = whole[[3, 1]].clone()
            other.state = {key: [t.clone() for t in tensors] for key, tensors in ours.state.items()}
            other.select(torch.tensor([3, 1]))
        ours.step([whole], [gradient], 0.1)
        if part is not None:
            other.step([part], [gradient[[3, 1]]], 0.1)
    assert part is not None
    # Not bit for bit: vector and scalar instructions round differently, and which ones an element gets changes.
    assert torch.allclose(part, whole[[3, 1]], atol=1e-6)


def test_cosine_falls_from_the_peak_towards_zero() -> None:
    recipe = TrainingConfig(schedule="cosine", lr=0.2, epochs=4)
    rates = [learning_rate(recipe, epoch) for epoch in range(4)]
    assert rates == pytest.approx([0.2, 0.1707107, 0.1, 0.0292893], rel=1e-5)
    assert learning_rate(TrainingConfig(lr=0.2), 399) == 0.2
