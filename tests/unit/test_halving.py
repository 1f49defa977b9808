"""Networks worked on a few at a time, and what a trial does where memory runs out."""

from collections.abc import Generator
from typing import Any

import pytest
import torch

from tests.engine import CLASSES, config, labels, pixels, records, stack, training
from trainables.config import ModelConfig
from trainables.halving import halving
from trainables.pausing import finish
from trainables.seeding import generator
from trainables.stack.interfaces import MODELS
from trainables.stack.mlp import StackedMLP
from trainables.stack.model import StackedModel
from trainables.training.evaluate import evaluating
from trainables.training.losses import cross_entropy

pytestmark = pytest.mark.slow


def network(name: str) -> StackedModel:
    config = ModelConfig.model_validate({"name": name, "width": 8, "dropout": 0.3 if name == "mlp" else 0.0})
    model = MODELS.get(name)()
    draws = [generator(1, k) for k in range(5)]
    return model.build(config, model.widths(config), (1, 8, 8), 10, draws).train()


@pytest.mark.parametrize("together", [1, 2, 3])
@pytest.mark.parametrize("name", ["mlp", "resnet20"])
def test_pieces_say_what_the_whole_says(name: str, together: int) -> None:
    x = torch.randn(5, 6, 1, 8, 8, generator=generator(2))
    y = torch.randint(10, (5, 6), generator=generator(3))
    whole, few = network(name), network(name)
    few.together = together
    expected, found = whole.gradients_in_pieces(x, y, cross_entropy), few.gradients_in_pieces(x, y, cross_entropy)
    for one, other in zip([*expected[:2], *expected[2]], [*found[:2], *found[2]], strict=True):
        assert torch.allclose(one, other, atol=1e-4)
    # Batch statistics and dropout counts have moved in the stack itself.
    for name_, tensor in few.tensors().items():
        assert torch.allclose(tensor.double(), whole.tensors()[name_].double(), atol=1e-5)
    assert torch.allclose(few.eval().answers(x), whole.eval()(x), atol=1e-4)


@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_training_in_pieces_ends_where_training_together_does(clip_norm: float | None) -> None:
    def trained(together: int | None) -> StackedModel:
        model = stack()
        model.together = together
        task = training(model, clip_norm=clip_norm)
        while not task.is_finished:
            finish(task.run_epoch())
        return model

    whole, few = trained(None), trained(2)
    for one, other in zip(whole.tensors().values(), few.tensors().values(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    assert evaluated(few).tolist() == pytest.approx(evaluated(whole).tolist(), rel=1e-5)


def evaluated(model: StackedModel) -> torch.Tensor:
    work = evaluating(model, pixels(), labels(), CLASSES)
    while True:
        try:
            next(work)
        except StopIteration as stop:
            loss: torch.Tensor = stop.value.loss
            return loss


def attempt(fits: int, error: Exception, seen: list[int]) -> Any:
    def run(together: int) -> Generator[str, None, int]:
        seen.append(together)
        yield f"started {together}"
        if together > fits:
            raise error
        yield "done"
        return together

    return run


def test_half_as_many_until_they_fit() -> None:
    seen: list[int] = []
    yielded = list(halving(10, attempt(2, torch.OutOfMemoryError("CUDA out of memory"), seen)))
    assert seen == [10, 5, 3, 2]
    assert yielded[-2:] == ["started 2", "done"]


def test_one_network_that_does_not_fit_says_what_to_change() -> None:
    error = RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
    with pytest.raises(RuntimeError, match="one of 4 networks at a time: take a smaller"):
        list(halving(4, attempt(0, error, [])))


def test_other_errors_are_not_retried() -> None:
    seen: list[int] = []
    with pytest.raises(RuntimeError, match="sizes do not match"):
        list(halving(4, attempt(0, RuntimeError("sizes do not match"), seen)))
    assert seen == [4]


def test_a_trial_goes_on_with_half_its_networks_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory for two of six networks: the numbers are those of an undisturbed trial, to rounding."""
    *before, expected = records(config(training__epochs=2))
    gradients = StackedModel.gradients

    def at_most_two(model: StackedModel, *batch: Any) -> Any:
        if model.networks > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return gradients(model, *batch)

    def through_autograd(model: StackedMLP, *batch: Any) -> Any:
        return StackedModel.descend(model, *batch)

    monkeypatch.setattr(StackedModel, "gradients", at_most_two)
    monkeypatch.setattr(StackedMLP, "descend", through_autograd)
    *reports, found = records(config(training__epochs=2))
    assert found.notes["cost/memory"] == "ran out with 6 networks together; went on with 2"
    assert "cost/memory" not in expected.notes
    assert found.metrics.keys() == expected.metrics.keys()
    dense, undisturbed = (next(r for r in reversed(rs) if r.stage == "dense") for rs in (reports, before))
    for name in ("train/loss", "val/loss"):
        assert dense.metrics[name] == pytest.approx(undisturbed.metrics[name], rel=1e-3)
