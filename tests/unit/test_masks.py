"""Masks: exact counts with ties, what belongs to a unit, sizes, and that nothing dropped ever comes back."""

import itertools
import math
from pathlib import Path
from typing import Literal

import pytest
import torch

from tests.engine import CLASSES, config, labels, orders, pixels, stack
from trainables.compression.masked_pruning import kept_widths
from trainables.compression.masks import (
    Masks,
    all_weights,
    apply_masks,
    keep_in_layers,
    keep_overall,
    kept_values,
    multiply_adds_kept,
    parameters_kept,
    shuffle_masks,
    unit_masks,
    weights_kept,
)
from trainables.compression.reach import reached_log2_ratio
from trainables.compression.weight_counts import level_weights
from trainables.config import TrainingConfig
from trainables.pausing import finish
from trainables.seeding import generator
from trainables.stack.interfaces import MODELS, model_of
from trainables.stack.mlp import StackedMLP
from trainables.training.examples import Examples
from trainables.training.loop import Training
from trainables.trial import TrialContext, run_to_level

Direction = Literal["lowest", "highest"]
TEN = torch.tensor([[5.0, 1.0, 4.0, 2.0, 3.0, 9.0, 8.0, 7.0, 6.0, 0.0], [1.0] * 10])
RGB = (3, 32, 32)


def half(model: StackedMLP) -> Masks:
    """Random masks that keep half of each tensor."""
    draw = generator(5, "masks")
    return {name: torch.rand(mask.shape, generator=draw) > 0.5 for name, mask in all_weights(model).items()}


@pytest.mark.parametrize("kept", range(1, 11))
def test_exact_counts_on_ten_weights_with_ties(kept: int) -> None:
    everyone = torch.ones(2, 10, dtype=torch.bool)
    low, high = (kept_values(TEN, everyone, kept, direction) for direction in ("lowest", "highest"))
    assert low.sum(dim=1).tolist() == high.sum(dim=1).tolist() == [kept, kept]
    assert set(TEN[0, low[0]].tolist()) == set(range(10 - kept, 10))
    assert set(TEN[0, high[0]].tolist()) == set(range(kept))
    assert low[1].tolist() == [False] * (10 - kept) + [True] * kept, "of equal weights the first ones go"
    assert torch.equal(low[1], high[1])


def test_the_dropped_never_come_back_whatever_they_score() -> None:
    alive = TEN < 6
    for direction in ("lowest", "highest"):
        kept = kept_values(TEN, alive, 4, direction)
        assert not (kept & ~alive).any()
        assert kept.sum(dim=1).tolist() == [4, 4]
    with pytest.raises(ValueError, match="cannot keep 7 of 6"):
        kept_values(TEN, alive, 7, "lowest")
    with pytest.raises(ValueError, match="finite"):
        kept_values(TEN * float("nan"), alive, 4, "lowest")


@pytest.mark.parametrize("direction", ["lowest", "highest"])
def test_counts_overall_are_exact_nested_and_empty_no_layer(direction: Direction) -> None:
    model = stack(sizes=(3, 2, 2, 10))
    masks, tied = all_weights(model), {name: torch.ones(mask.shape) for name, mask in all_weights(model).items()}
    for scores in (tied, {name: model.tensors()[name] for name in masks}):
        before = masks
        for count in range(30, 2, -1):
            after = keep_overall(scores, before, count, direction)
            assert torch.stack([m.flatten(1).sum(dim=1) for m in after.values()]).sum(dim=0).tolist() == [count] * 3
            assert all(not (m & ~before[name]).any() for name, m in after.items())
            assert all(m.flatten(1).any(dim=1).all() for m in after.values())
            before = after


def test_counts_in_layers_are_each_layers_own() -> None:
    model = stack()
    scores = {name: model.tensors()[name].abs() for name in all_weights(model)}
    kept = keep_in_layers(scores, all_weights(model), (17, 100, 3), "lowest")
    assert [mask.flatten(1).sum(dim=1).tolist() for mask in kept.values()] == [[17] * 3, [100] * 3, [3] * 3]
    for name, mask in kept.items():
        for k in range(3):
            assert scores[name][k][mask[k]].min() > scores[name][k][~mask[k]].max()


def test_shuffled_masks_keep_as_many_elsewhere() -> None:
    masks = half(stack())
    other = shuffle_masks(masks, lambda name, k: generator(1, name, k))
    for name, mask in masks.items():
        assert torch.equal(mask.flatten(1).sum(dim=1), other[name].flatten(1).sum(dim=1))
        assert not torch.equal(mask, other[name])


@pytest.mark.parametrize("name", MODELS.names())
def test_masked_units_are_removed_units(name: str) -> None:
    model = MODELS.get(name)()
    trial = config(model__name=name, model__width=8)
    widths = model.widths(trial.model)
    made = model.build(trial.model, widths, RGB, 10, [generator(0, k) for k in range(2)]).eval()
    for tensor in made.tensors().values():
        if tensor.ndim == 2 and tensor.is_floating_point():
            tensor.add_(torch.rand(tensor.shape, generator=generator(9)))
    draw = generator(2, name)
    alive = [torch.rand(2, width, generator=draw) < 0.6 for width in widths]
    for units in alive:
        units[:, 0] = True
    masks = unit_masks(made, alive)
    images = torch.rand(2, 3, *RGB, generator=generator(3))
    small = apply_masks(made, masks)(images)
    left, kept = kept_widths(made, masks), weights_kept(masks)
    for k in range(2):
        index = [units[k].nonzero().t() for units in alive]
        cut = made.select([k]).keep_units(index)
        assert cut.widths == left[k]
        assert torch.allclose(cut(images[k : k + 1])[0], small[k], atol=1e-4)
        assert parameters_kept(made, kept)[k] == model.parameter_count(left[k], RGB, 10)
        assert multiply_adds_kept(made, kept, RGB)[k] == model.multiply_adds(left[k], RGB, 10)
    assert model.weight_counts(widths, RGB, 10) == tuple(m[0].numel() for m in all_weights(made).values())


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_what_is_dropped_stays_zero_in_weights_and_optimizer(optimizer: str) -> None:
    masks = half(stack())
    model = apply_masks(stack(), masks)
    start = {name: tensor.clone() for name, tensor in model.tensors().items()}
    recipe = TrainingConfig(
        epochs=4, batch_size=30, optimizer=optimizer, weight_decay=0.01, lr=0.01, stop_at_train_loss=None
    )
    training = Training(model, Examples(pixels(), labels(), CLASSES), recipe, orders, masks=masks)
    while not training.is_finished:
        for state in training.state()["optimizer"].values():
            for tensor, (name, parameter) in zip(state, model.named_parameters(), strict=False):
                if name in masks and tensor.shape == parameter.shape:
                    assert not tensor[~masks[name]].any()
        finish(training.run_epoch())
    for name, mask in masks.items():
        trained = model.tensors()[name]
        assert not trained[~mask].any()
        assert (trained[mask] != start[name][mask]).double().mean() > 0.99


def test_masks_follow_their_networks_when_others_stop() -> None:
    """Network 1 meets the stop rule first; the masks of 0 and 2 are still their own."""
    masks = half(stack())
    model = apply_masks(stack(), masks)
    easy = labels()
    easy[1] = 0
    recipe = TrainingConfig(epochs=40, batch_size=30, lr=0.1, stop_at_train_loss=0.3)
    training = Training(model, Examples(pixels(), easy, CLASSES), recipe, orders, masks=masks)
    while not training.is_finished:
        finish(training.run_epoch())
    assert training.epochs[1] < min(training.epochs[0], training.epochs[2])
    assert all(not model.tensors()[name][~mask].any() for name, mask in masks.items())


def total(trial_weights: tuple[int, ...], others: int) -> int:
    return sum(trial_weights) + others


@pytest.mark.parametrize("scope", ["layer", "global"])
def test_weights_of_levels_reach_their_ratio_and_hardly_more(scope: str) -> None:
    trial = config(
        compression__granularity="weight",
        compression__scope=scope,
        compression__depth=5,
        compression__target_ratio=16.0,
        model__width=40,
    )
    levels, model = level_weights(trial, (1, 8, 8), 10), model_of(trial)
    dense = model.parameter_count((40, 40), (1, 8, 8), 10)
    others = dense - sum(levels[0])
    for level, counts in enumerate(levels):
        ratio, wanted = dense / total(counts, others), 16 ** (level / 5)
        assert ratio >= wanted * (1 - 1e-8)
        assert dense / (total(counts, others) + 3) < wanted, "three weights more, one a layer, would be too many"


def test_rate_is_the_lottery_tickets() -> None:
    """20 % of what is left goes at each level, 10 % of the output layer."""
    fields = {
        "model__name": "lenet_300_100",
        "model__width": 300,
        "compression__granularity": "weight",
        "compression__rate": 0.2,
        "compression__depth": 12,
    }
    levels = level_weights(config(**fields), (1, 28, 28), 10)
    assert levels[0] == (784 * 300, 300 * 100, 1000)
    assert levels[1] == (188160, 24000, 900)
    assert levels[12][0] / levels[0][0] == pytest.approx(0.8**12, rel=1e-3)
    assert levels[12][2] / levels[0][2] == pytest.approx(0.9**12, abs=0.006)
    whole = level_weights(config(**fields, compression__scope="global"), (1, 28, 28), 10)
    assert [counts[0] for counts in whole[:3]] == [266200, 212960, 170368]


WEIGHTS = {
    "model__width": 40,
    "compression__granularity": "weight",
    "compression__depth": 3,
    "compression__target_ratio": 4.0,
}


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.5, 1.0])
def test_the_output_layer_is_pruned_at_its_own_rate(rate: float) -> None:
    levels = level_weights(config(**WEIGHTS, **{"compression.prune.output_rate": rate}), (1, 8, 8), 10)
    assert levels[0] == (2560, 1600, 400)
    for before, after in itertools.pairwise(levels):
        of_first, of_output = (1 - after[place] / before[place] for place in (0, 2))
        assert of_output == pytest.approx(rate * of_first, abs=2 / before[2])


@pytest.mark.parametrize("scope", ["layer", "global"])
def test_an_output_layer_of_rate_0_stays_whole_and_networks_reach_the_ratio_all_the_same(scope: str) -> None:
    trial = config(**WEIGHTS, compression__scope=scope, **{"compression.prune.output_rate": 0.0})
    workspace = finish(run_to_level(trial, TrialContext(0, Path("unused")), 3))
    masks = workspace.progress.kept_values["masks"]
    *hidden, output = masks.values()
    assert output.all()
    assert not any(mask.flatten(1).all(dim=1).any() for mask in hidden)
    reached = [row["parameter_ratio"] for row in workspace.progress.rows if row["level"] == 3]
    assert all(4 <= ratio < 4.01 for ratio in reached)
    assert reached_log2_ratio(trial, (1, 8, 8), 10) == pytest.approx(math.log2(reached[0]))


def test_single_weights_of_the_output_layer_go_at_half_the_rate_unless_told_otherwise() -> None:
    told = config(**WEIGHTS, **{"compression.prune.output_rate": 0.5})
    assert level_weights(config(**WEIGHTS), (1, 8, 8), 10) == level_weights(told, (1, 8, 8), 10)
