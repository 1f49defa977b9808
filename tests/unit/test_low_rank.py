"""Truncation is the optimum that the singular values promise; sizes are those of the factors."""

import numpy as np
import pytest
import torch

from tests.engine import config, records, stack
from trainables.compression.combinations import check
from trainables.compression.low_rank import ranks_for, sizes_of, truncated
from trainables.interfaces import MODELS
from trainables.seeding import generator


@pytest.mark.parametrize("shape", [(2, 20, 13), (2, 13, 20), (2, 8, 3, 3, 3)])
@pytest.mark.parametrize("rank", [1, 3, 8])
def test_the_error_is_that_of_the_singular_values_left_out(shape: tuple[int, ...], rank: int) -> None:
    weights = torch.randn(shape, generator=generator(0, "w"), dtype=torch.float64)
    cut = truncated(weights, rank)
    for k in range(2):
        matrix = weights[k].flatten(1).numpy()
        values = np.linalg.svd(matrix, compute_uv=False)
        error = np.linalg.norm(cut[k].flatten(1).numpy() - matrix)
        assert error == pytest.approx(np.sqrt((values[rank:] ** 2).sum()), rel=1e-9, abs=1e-9)
        assert np.linalg.matrix_rank(cut[k].flatten(1).numpy()) == rank
    assert torch.allclose(truncated(truncated(weights, rank), max(1, rank - 1)), truncated(weights, max(1, rank - 1)))


def test_ranks_are_the_largest_that_suffice_and_factors_count() -> None:
    model = stack(2, sizes=(64, 40, 40, 10))
    dense = model.parameters_per_network
    assert dense == 64 * 40 + 40 + 40 * 40 + 40 + 400 + 10
    assert ranks_for(model, dense) == {}
    for ratio in (1.5, 2, 4, 6):
        ranks = ranks_for(model, dense / ratio)
        sizes = sizes_of(model, ranks, (1, 8, 8))
        shapes = {"layers.0.weight": (64, 40), "layers.1.weight": (40, 40)}
        expected = 490 + sum(ranks[n] * (i + o) if n in ranks else i * o for n, (i, o) in shapes.items())
        assert sizes.parameters == [expected] * 2
        assert sizes.multiply_adds == [expected - 90] * 2
        assert expected <= dense / ratio < expected + 104 + 80, "one rank more in both would be too many"
    assert set(ranks_for(model, 1).values()) == {1}


def test_sizes_of_a_convolution_count_every_pixel() -> None:
    trial = config(model__name="conv2", model__width=8)
    model = MODELS.get("conv2")()
    widths = model.widths(trial.model)
    made = model.build(trial.model, widths, (3, 32, 32), 10, [generator(0)])
    whole = sizes_of(made, {}, (3, 32, 32))
    assert whole.multiply_adds == [model.multiply_adds(widths, (3, 32, 32), 10)]
    assert whole.parameters == [model.parameter_count(widths, (3, 32, 32), 10)]
    name = "steps.0.weight"
    one = sizes_of(made, {name: 2}, (3, 32, 32))
    assert whole.parameters[0] - one.parameters[0] == 8 * 27 - 2 * (8 + 27)
    assert whole.multiply_adds[0] - one.multiply_adds[0] == 1024 * (8 * 27 - 2 * (8 + 27))


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
