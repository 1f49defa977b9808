"""Example-tied dropout: who is there for whom, against a plain loop; and that memories in tied units can be cut out."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.engine import config, records
from trainables.config import ModelConfig
from trainables.seeding import generator
from trainables.stack.interfaces import MODELS
from trainables.stack.model import StackedModel
from trainables.stack.tied import StackedTiedUnits, with_tied_units
from trainables.training.losses import cross_entropy

MODEL_NAMES = MODELS.names()


def build(name: str, networks: int = 3, **fields: Any) -> StackedModel:
    settings = ModelConfig.model_validate({"name": name, "width": 8, "tied_units": 0.5, "tied_examples": 0.3} | fields)
    model, draws = MODELS.get(name)(), [generator(0, "init", k) for k in range(networks)]
    return model.build(settings, model.widths(settings), (1, 16, 16), 10, draws)


def images(networks: int, count: int = 6, seed: int = 0) -> Tensor:
    one = torch.rand(count, 1, 16, 16, generator=generator(seed, "images"))
    return one.expand(networks, *one.shape).contiguous()


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_every_model_has_them_and_evaluation_cuts_them_out(name: str) -> None:
    stack, x = build(name), images(3)
    tied = [module for module in stack.modules() if isinstance(module, StackedTiedUnits)]
    assert tied
    off = stack(x)
    for network in range(3):
        torch.testing.assert_close(stack.unstack(network)(x[network]), off[network], atol=1e-5, rtol=1e-5)
    with with_tied_units(stack):
        on = stack(x)
    torch.testing.assert_close(stack.select([1])(x[:1]), off[1:2], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(on, off)
    torch.testing.assert_close(stack(x), off)
    cut = stack.keep_units([torch.arange(1, width).expand(3, -1) for width in stack.widths])
    assert cut(x).isfinite().all()


@pytest.mark.parametrize("name", ["mlp", "conv2"])
def test_an_example_has_the_same_units_in_any_batch_and_any_stack(name: str) -> None:
    stack, x = build(name), images(3)
    with with_tied_units(stack):
        whole = stack(x)
        turned = stack(x.flip(1)).flip(1)
        single = stack(x[:, 2:3])
    torch.testing.assert_close(turned, whole, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(single[:, 0], whole[:, 2], atol=1e-5, rtol=1e-5)
    some = stack.select([2])
    with with_tied_units(some):
        torch.testing.assert_close(some(x[2:]), whole[2:], atol=1e-5, rtol=1e-5)


def test_each_tied_unit_is_there_for_its_share_of_the_examples() -> None:
    module = StackedTiedUnits(40, (0.5, 0.3), [generator(0, k) for k in range(2)])
    stack = build("mlp", width=40, tied_examples=0.3)
    (first, *_) = [one for one in stack.modules() if isinstance(one, StackedTiedUnits)]
    with with_tied_units(stack):
        stack(images(3, 2000))
        there = first(torch.ones(3, 2000, 40))
    assert (there[:, :, :20] == 1).all()
    shares = there[:, :, 20:].mean(dim=1)
    assert shares.mean().item() == pytest.approx(0.3, abs=0.01)
    assert shares.std().item() == pytest.approx((0.3 * 0.7 / 2000) ** 0.5, rel=0.5)
    assert (module.tie[:, :20] == 0).all()
    assert len(module.tie[:, 20:].unique()) == 40


def test_a_step_is_that_of_autograd_with_the_same_masks() -> None:
    stack, x = build("mlp", dropout=0.0).train(), images(3)
    targets = torch.randint(10, (3, 6), generator=generator(0, "targets"))
    logits = stack(x)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum") / 6
    expected = torch.autograd.grad(loss, list(stack.parameters()))
    found: dict[int, Tensor] = {}

    def use(places: Any, gradients: Any, networks: slice | None) -> None:
        assert networks is None
        found.update({place: gradient.clone() for place, gradient in zip(places, gradients, strict=True)})

    stack.descend(x, targets, cross_entropy, use)
    for place, gradient in enumerate(expected):
        torch.testing.assert_close(found[place], gradient, atol=1e-6, rtol=1e-4)


def test_what_is_memorised_in_tied_units_goes_with_them_and_the_rule_stays() -> None:
    """Maini et al. 2023: cutting tied units takes the accuracy on noisy examples, and much less of all other."""
    trial = config(
        **{"data__split": (600, 200, 200), "data__label_noise": 0.2, "model__width": 100, "training__epochs": 60},
        **{"model__tied_units": 0.8, "model__tied_examples": 0.05, "measures__names": "tied_units"},
        **{"compression__depth": 1, "control": False},
    )
    rows = [row for row in records(trial)[-1].networks if row["level"] == 0]
    for row in rows:
        assert row["measure/tied_units/changed_accuracy"] > 0.95
        assert row["changed_accuracy"] < 0.35
        assert row["kept_accuracy"] > 0.8
        assert row["test_accuracy"] > 0.75


@pytest.mark.parametrize("method", ["merge", "distill", "quantize", "low_rank", "hypernet"])
def test_other_methods_take_such_networks(method: str) -> None:
    more = {"compression.distill.epochs": 1} if method == "distill" else {}
    more |= {"compression.hypernet.epochs": 1} if method == "hypernet" else {}
    found = records(config(model__tied_units=0.5, compression__method=method, training__epochs=2, **more))[-1]
    assert {row["level"] for row in found.networks} == {0, 1, 2}


def test_images_that_are_moved_are_nobody_s() -> None:
    with pytest.raises(ValueError, match="use augment=none, or tied_units=0"):
        config(model__tied_units=0.5, training__augment="crop", data__label_noise=0.0)
