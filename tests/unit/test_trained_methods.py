"""Group lasso and hypernetworks: the penalty's step, what is generated, and that networks never mix."""

from typing import Any

import pytest
import torch

from tests.engine import config, records, stack
from trainables.compression.generating import Generator, generator_for
from trainables.compression.group_lasso import shrink, unit_norms
from trainables.seeding import generator
from trainables.stack.generated import GeneratedStack
from trainables.workspace import Workspace


def test_the_proximal_step_shrinks_units_by_their_own_norm() -> None:
    model = stack(2, sizes=(20, 6, 5, 3))
    before = {name: tensor.clone() for name, tensor in model.tensors().items()}
    threshold = 0.2
    shrink(model, threshold)

    def shrunk(numbers: torch.Tensor, axis: int) -> torch.Tensor:
        norms = numbers.norm(dim=axis, keepdim=True)
        return numbers * (1 - threshold * numbers.shape[axis] ** 0.5 / norms).clamp_min(0)

    def made(weights: torch.Tensor, place: int) -> torch.Tensor:
        """Incoming weights, and the bias as one more of them."""
        return shrunk(torch.cat([weights, before[f"layers.{place}.bias"]], dim=1), 1)

    first = made(before["layers.0.weight"], 0)
    # Between two groups: outgoing weights of the one, then what makes the other.
    second = made(shrunk(before["layers.1.weight"], 2), 1)
    third = shrunk(before["layers.2.weight"], 2)
    for place, expected in enumerate((first, second)):
        found = torch.cat([model.tensors()[f"layers.{place}.weight"], model.tensors()[f"layers.{place}.bias"]], 1)
        assert torch.allclose(found, expected, atol=1e-6)
    assert torch.allclose(model.tensors()["layers.2.weight"], third, atol=1e-6)
    assert torch.equal(model.tensors()["layers.2.bias"], before["layers.2.bias"]), "nobody's unit"
    shrink(model, 100.0)
    assert all(not norms.any() for norms in unit_norms(model))


def test_a_silent_unit_can_go_without_a_trace() -> None:
    model = stack(2, sizes=(20, 6, 5, 3))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.fill_(0.3)
            if name.startswith("layers.0"):
                parameter[..., 2:4] *= 1e-4
    shrink(model, 1e-3)
    silent = [(norms == 0).nonzero()[:, 1].tolist() for norms in unit_norms(model)]
    assert silent == [[2, 3, 2, 3], []]
    kept = [torch.tensor([[0, 1, 4, 5]] * 2), torch.arange(5).repeat(2, 1)]
    inputs = torch.randn(2, 30, 1, 1, 20, generator=generator(1, "inputs"))
    assert torch.allclose(model.keep_units(kept)(inputs), model(inputs), atol=1e-6)


def test_group_lasso_silences_units_that_a_rule_does_not_need() -> None:
    """Clean digits, an eighth of the labels' budget: silent units go and accuracy stays."""
    trial = config(
        compression__method="group_sparse",
        compression__group_sparse={"epochs": 40, "strength": 0.02},
        compression__depth=1,
        compression__target_ratio=2.0,
        data__label_noise=0.0,
        model__width=48,
        training__epochs=60,
        replicates=1,
    )
    summary = [record for record in records(trial) if record.stage == "level"][-1].metrics
    assert summary["level/silent_units"] > 0.2
    assert summary["level/train_accuracy"] > 0.97
    assert summary["baseline/level/train_accuracy"] > 0.5


def test_weights_start_as_ordinary_ones_and_count_what_is_stored() -> None:
    model = stack(3, sizes=(64, 60, 50, 10))
    generated = generator_for(model, model.parameters_per_network / 4, None, 0.5)
    draws = [generator(9, k) for k in range(3)]
    numbers = generated.start(draws)
    assert sum(tensor[0].numel() for tensor in numbers.values()) == generated.count
    others = 60 + 50 + 50 * 10 + 10
    bigger = Generator(generated.shapes, generated.scales, generated.block, generated.size + 1)
    assert generated.count + others <= model.parameters_per_network / 4 < bigger.count + others
    weights = generated.weights(numbers)
    assert {name: tuple(t.shape) for name, t in weights.items()} == {
        "layers.0.weight": (3, 64, 60),
        "layers.1.weight": (3, 60, 50),
    }
    assert float(weights["layers.0.weight"].std()) == pytest.approx(0.5 * (2 / 64) ** 0.5, rel=0.2)
    assert float(weights["layers.1.weight"].std()) == pytest.approx(0.5 * (2 / 60) ** 0.5, rel=0.2)


def test_a_generated_stack_never_mixes_gradients_and_becomes_an_ordinary_one() -> None:
    model = stack(2, sizes=(20, 16, 12, 10))
    made = generator_for(model, 300, None, 1.0)
    both = GeneratedStack(model, made.start([generator(9, k) for k in range(2)]), made.weights)
    one = GeneratedStack(model.select([1]), made.start([generator(9, 1)]), made.weights)
    x = torch.randn(2, 7, 20, generator=generator(1))

    def loss(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return logits.square().sum(dim=2), 2 * logits * targets

    logits, _, gradients = both.gradients(x, torch.ones(()), loss)
    _, _, alone = one.gradients(x[1:], torch.ones(()), loss)
    assert all(torch.allclose(g[1], a[0], atol=1e-4) for g, a in zip(gradients, alone, strict=True))
    assert all(bool((g != 0).any()) for g in gradients[:5])
    ordinary = both.ordinary()
    assert torch.allclose(ordinary(x), logits, atol=1e-5)
    assert torch.allclose(both.unstack(1)(x[1]), logits[1], atol=1e-5)
    assert ordinary.tensors().keys() == model.tensors().keys()
    assert both.parameters_per_network == made.count + 16 + 12 + 120 + 10
    assert both.widths == model.widths


def test_a_small_generator_learns_what_a_narrow_network_of_its_size_learns() -> None:
    trial = config(
        compression__method="hypernet",
        compression__hypernet={"epochs": 60},
        compression__depth=1,
        compression__target_ratio=8.0,
        data__label_noise=0.0,
        model__width=64,
        training__epochs=60,
        training__batch_size=25,
        replicates=1,
    )
    found = records(trial)
    level = [record for record in found if record.stage == "level"][-1].metrics
    assert level["level/ratio"] >= 8
    assert level["level/train_accuracy"] > 0.95
    assert level["baseline/level/train_accuracy"] > 0.7
    (fresh,) = [row for row in found[-1].networks if row["arm"] == "scratch_replicate" and row["level"] == 1]
    assert fresh["widths"] != "64+64"
    assert fresh["ratio"] >= 8


@pytest.mark.parametrize(("transfer", "seen"), [("pool", 150), ("train", 75)])
def test_students_see_the_pooled_inputs_or_those_of_their_teachers(transfer: str, seen: int) -> None:
    asked = config(data__subset=0.5, compression__method="distill", compression__transfer=transfer)
    found: list[Any] = []
    trained: list[int] = []
    original, original_fit = Workspace.once, Workspace.fit

    def fit(self: Workspace, name: str, *args: Any, **kwargs: Any) -> Any:
        training = yield from original_fit(self, name, *args, **kwargs)
        if name == "students":
            trained.append(training.seen)
        return training

    def once(self: Workspace, what: str, make: Any) -> Any:
        made = original(self, what, make)
        if what == "transfer inputs":
            found.append(made)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Workspace, "once", once)
        patch.setattr(Workspace, "fit", fit)
        records(asked)
    assert {inputs.count for inputs in found} == {seen}
    assert set(trained) == {seen}, "in an epoch students see every one of them"
    assert all((inputs.subset is None) == (transfer == "pool") for inputs in found)
