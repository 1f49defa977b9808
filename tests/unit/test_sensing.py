"""Compressive sensing: against linear programming, and where theory says that sparse weights are found exactly."""

from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from scipy.fft import dct
from scipy.optimize import linprog

from tests.engine import config
from trainables.compression import low_rank, sensing
from trainables.compression.course import new_workspace
from trainables.compression.interfaces import CompressionResult
from trainables.compression.low_rank import by_directions, directions
from trainables.compression.sensing import by_measurements, sparsest
from trainables.data.trial_data import trial_data
from trainables.measuring import network_sizes
from trainables.progress import Progress
from trainables.seeding import generator
from trainables.workspace import Workspace

N, MEASURED = 48, 24


def matrix() -> torch.Tensor:
    return directions((N, MEASURED), [generator(0, "directions", k) for k in range(2)]).mT.double()


def test_sparse_weights_are_found_exactly() -> None:
    rows, draws = matrix(), generator(0, "weights")
    weights = torch.zeros(2, N, 3, dtype=torch.float64)
    for k in range(2):
        for column in range(3):
            places = torch.randperm(N, generator=draws)[:4]
            weights[k, places, column] = torch.randn(4, generator=draws).double() * 10.0**-column
    found = sparsest(rows, rows @ weights, 400)
    assert torch.allclose(found / weights.abs().amax(1, keepdim=True), weights / weights.abs().amax(1, keepdim=True),
                          atol=1e-5)  # fmt: skip
    assert not torch.allclose(rows.mT @ rows @ weights, weights, atol=1e-2), "least squares find others"


def test_dense_weights_get_the_smallest_sum_that_linear_programming_finds() -> None:
    rows = matrix()
    measured = torch.randn(2, MEASURED, 2, generator=generator(0, "measured")).double()
    found = sparsest(rows, measured, 3000)
    assert torch.allclose(rows @ found, measured, atol=1e-5), "directions are orthonormal to single precision"
    for k in range(2):
        both = np.concatenate([rows[k].numpy(), -rows[k].numpy()], axis=1)
        for column in range(2):
            best = linprog(np.ones(2 * N), A_eq=both, b_eq=measured[k, :, column].numpy())
            assert float(found[k, :, column].abs().sum()) <= best.fun * 1.01


def test_levels_cost_what_a_sketch_costs_and_sparse_layers_survive() -> None:
    trial = config(model__width=40, compression__depth=2, compression__target_ratio=2.0, replicates=2)
    workspace: Workspace = new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))
    stack = workspace.initial()
    for name in ("layers.0.weight", "layers.1.weight"):
        tensor = stack.tensors()[name]
        coefficients = np.zeros(tensor.shape)
        coefficients[:, 1] = 1.0
        coefficients[:, 3, ::2] = -0.5
        tensor.copy_(torch.from_numpy(dct(coefficients, type=3, norm="ortho", axis=1)))
    made = CompressionResult(stack, [torch.arange(width).repeat(stack.networks, 1) for width in stack.widths])
    sensed = by_measurements(workspace, 2, made, cosine=True, iterations=400)
    sketched = by_directions(workspace, 2, made, of_update=False)
    plain = by_measurements(workspace, 2, made, cosine=False, iterations=400)
    assert sensed.sizes is not None
    assert sketched.sizes is not None
    assert sensed.sizes.parameters == sketched.sizes.parameters
    for name in ("layers.0.weight", "layers.1.weight"):
        wanted = stack.tensors()[name]
        assert torch.allclose(sensed.stack.tensors()[name], wanted, atol=1e-4)
        assert not torch.allclose(sketched.stack.tensors()[name], wanted, atol=1e-2)
        assert not torch.allclose(plain.stack.tensors()[name], wanted, atol=1e-2), "cosines are spread over all inputs"


def test_what_costs_most_is_done_once_a_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Directions are drawn, and weights are looked for, once for each of two layers, the description included."""
    trial = config(model__width=40, compression__depth=2, compression__target_ratio=2.0, replicates=2)
    workspace: Workspace = new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))
    made = CompressionResult(workspace.initial(), None)
    calls: Counter[str] = Counter()

    def count(module: ModuleType, name: str) -> None:
        original = getattr(module, name)

        def counted(*args: Any) -> Any:
            calls[name] += 1
            return original(*args)

        monkeypatch.setattr(module, name, counted)

    count(low_rank, "directions")
    count(sensing, "sparsest")
    network_sizes(workspace, by_measurements(workspace, 2, made, cosine=True, iterations=3))
    assert calls == {"directions": 2, "sparsest": 2}
    network_sizes(workspace, by_directions(workspace, 2, made, of_update=False))
    assert calls == {"directions": 4, "sparsest": 2}
