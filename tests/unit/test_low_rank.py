"""Truncation is the optimum that the singular values promise; sizes are those of the factors."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.engine import config, records, stack
from trainables.compression.combinations import check
from trainables.compression.course import new_workspace
from trainables.compression.interfaces import CompressionResult
from trainables.compression.low_rank import by_rank, factors, ranks_for
from trainables.compression.masks import weight_uses
from trainables.data.trial_data import trial_data
from trainables.progress import Progress
from trainables.seeding import generator
from trainables.stack.interfaces import MODELS


@pytest.mark.parametrize("shape", [(2, 20, 13), (2, 13, 20), (2, 8, 3, 3, 3)])
@pytest.mark.parametrize("rank", [1, 3, 8])
def test_the_error_is_that_of_the_singular_values_left_out(shape: tuple[int, ...], rank: int) -> None:
    weights = torch.randn(shape, generator=generator(0, "w"), dtype=torch.float64)
    left, right = factors(weights, rank)
    cut = left @ right
    for k in range(2):
        matrix = weights[k].flatten(1).numpy()
        values = np.linalg.svd(matrix, compute_uv=False)
        error = np.linalg.norm(cut[k].numpy() - matrix)
        assert error == pytest.approx(np.sqrt((values[rank:] ** 2).sum()), rel=1e-9, abs=1e-9)
        assert np.linalg.matrix_rank(cut[k].numpy()) == rank


def test_ranks_are_the_largest_that_suffice_and_factors_count() -> None:
    model = stack(2, sizes=(64, 40, 40, 10))
    dense = model.parameters_per_network
    assert dense == 64 * 40 + 40 + 40 * 40 + 40 + 400 + 10
    assert ranks_for(model, dense) == {}
    for ratio in (1.5, 2, 4, 6):
        ranks = ranks_for(model, dense / ratio)
        shapes = {"layers.0.weight": (64, 40), "layers.1.weight": (40, 40)}
        expected = 490 + sum(ranks[n] * (i + o) if n in ranks else i * o for n, (i, o) in shapes.items())
        assert expected <= dense / ratio < expected + 104 + 80, "one rank more in both would be too many"
    assert set(ranks_for(model, 1).values()) == {1}


def test_factors_of_a_convolution_count_at_every_pixel() -> None:
    trial = config(
        model__name="conv2", model__width=8, compression__method="low_rank", compression__depth=1, replicates=1
    )
    model = MODELS.get("conv2")()
    widths = model.widths(trial.model)
    workspace = new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))
    made = by_rank(workspace, 1, CompressionResult(workspace.initial(), None), of_update=False)
    ranks = ranks_for(workspace.initial(), workspace.dense_parameters / 4)
    assert made.sizes is not None
    saved_parameters, saved_work = 0, 0
    for name, rank in ranks.items():
        shape = made.stack.tensors()[name].flatten(2).shape[1:]
        saving = shape.numel() - rank * sum(shape)
        saved_parameters += saving
        saved_work += saving * weight_uses(made.stack, workspace.input_shape)[name]
    assert made.sizes.parameters[0] == workspace.dense_parameters - saved_parameters <= workspace.dense_parameters / 4
    assert made.sizes.multiply_adds[0] == model.multiply_adds(widths, workspace.input_shape, 10) - saved_work


def test_a_trial_of_low_rank() -> None:
    trial = config(compression__method="low_rank", model__width=32, compression__target_ratio=6.0)
    levels = [record for record in records(trial) if record.stage == "level"]
    assert levels[0].metrics["level/ratio"] == 1
    assert levels[1].metrics["level/ratio"] >= 6**0.5 * (1 - 1e-6)
    assert levels[2].metrics["level/ratio"] >= 6 * (1 - 1e-6)
    assert levels[2].metrics["level/speedup"] > 5


def test_what_would_undo_it_is_refused() -> None:
    recovery = {"compression__recovery": "finetune", "compression__recovery_epochs": 2}
    with pytest.raises(ValueError, match="would undo"):
        check(config(compression__method="low_rank", **recovery))
    with pytest.raises(ValueError, match="use target_ratio"):
        check(config(compression__method="low_rank", compression__rate=0.2))
