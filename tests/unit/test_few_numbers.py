"""Layers made of few numbers: against scipy's transform, least squares and the algebra of projections."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.fft import dctn

from tests.engine import config
from trainables.compression.course import new_workspace
from trainables.compression.few_numbers import by_buckets, by_coefficients, cosines
from trainables.compression.interfaces import CompressionResult
from trainables.compression.low_rank import by_directions, by_rank
from trainables.data.trial_data import trial_data
from trainables.progress import Progress
from trainables.workspace import Workspace

HIDDEN = ["layers.0.weight", "layers.1.weight"]


@pytest.fixture
def workspace() -> Workspace:
    trial = config(model__width=40, compression__depth=2, compression__target_ratio=6.0, replicates=2)
    return new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))


def moved(workspace: Workspace) -> CompressionResult:
    """The dense networks after a training of three directions and a little noise."""
    stack = workspace.initial()
    draws = workspace.draws("moved")
    for tensor in stack.tensors().values():
        if tensor.shape[-1] > 1:
            rank = torch.randn(tensor.shape[1], 3, generator=draws) @ torch.randn(3, tensor.shape[2], generator=draws)
            tensor.add_(rank + 1e-4 * torch.randn(tensor.shape[1:], generator=draws))
    origin = [torch.arange(width).repeat(stack.networks, 1) for width in stack.widths]
    return CompressionResult(stack, origin)


@pytest.mark.parametrize("shape", [(8, 8), (5, 12)])
def test_the_transform_is_scipy_s(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, dtype=torch.float64)
    ours = cosines(shape[0]) @ matrix @ cosines(shape[1]).mT
    assert np.allclose(ours.numpy(), dctn(matrix.numpy(), norm="ortho"))
    assert torch.allclose(cosines(7) @ cosines(7).mT, torch.eye(7, dtype=torch.float64))


def test_the_largest_coefficients_are_the_closest_and_the_lowest_the_first(workspace: Workspace) -> None:
    made = moved(workspace)
    largest = by_coefficients(workspace, 2, made, largest=True)
    lowest = by_coefficients(workspace, 2, made, largest=False)
    assert largest.sizes is not None
    assert lowest.sizes is not None
    assert largest.sizes.parameters == lowest.sizes.parameters
    assert workspace.dense_parameters / 6 * 0.95 < largest.sizes.parameters[0] <= workspace.dense_parameters / 6
    assert largest.encoding is not None
    for name in HIDDEN:
        weights = made.stack.tensors()[name].double().numpy()
        kept = largest.encoding.parts[f"{name} coefficients"].counts()
        for k in range(workspace.networks):
            coefficients = dctn(weights[k], norm="ortho")
            left_out = np.sort(coefficients.ravel() ** 2)[: -kept[k]].sum()
            error = ((largest.stack.tensors()[name][k].numpy() - weights[k]) ** 2).sum()
            assert error == pytest.approx(left_out, rel=1e-3)
            low = dctn(lowest.stack.tensors()[name][k].double().numpy(), norm="ortho")
            places = np.argwhere(np.abs(low) > 1e-3)
            reached = (places / low.shape).sum(axis=1).max() - 1e-9
            assert (np.add.outer(*(np.arange(n) / n for n in low.shape)) < reached).sum() <= kept[k]


def test_hashed_weights_are_the_least_squares_fit(workspace: Workspace) -> None:
    made = moved(workspace)
    hashed = by_buckets(workspace, 1, made)
    assert hashed.encoding is not None
    for name in HIDDEN:
        count = hashed.encoding.parts[f"{name} values"].values.shape[1]
        for k in range(workspace.networks):
            found = hashed.stack.tensors()[name][k].flatten()
            before = made.stack.tensors()[name][k].flatten()
            sizes, bucket = found.abs().unique(return_inverse=True)
            assert len(sizes) <= count
            # No bucket could be nearer: what is left is orthogonal to each.
            for some in range(0, len(sizes), 50):
                inside = bucket == some
                assert float(((before - found) * found.sign())[inside].sum()) == pytest.approx(0, abs=1e-3)
    assert torch.equal(hashed.stack.tensors()[HIDDEN[0]][0].abs() > 0, hashed.stack.tensors()[HIDDEN[0]][1].abs() > 0)


def test_an_update_of_low_rank_is_found_whole_and_weights_are_not(workspace: Workspace) -> None:
    made = moved(workspace)
    update, weights = (by_rank(workspace, 1, made, of_update=of) for of in (True, False))
    assert update.sizes is not None
    assert weights.sizes is not None
    assert update.sizes.parameters == weights.sizes.parameters
    assert update.sizes.multiply_adds[0] > weights.sizes.multiply_adds[0]
    for name in HIDDEN:
        before = made.stack.tensors()[name]
        assert (update.stack.tensors()[name] - before).abs().max() < 1e-2
        assert (weights.stack.tensors()[name] - before).abs().max() > 0.1
    with pytest.raises(ValueError, match="no initial weights"):
        by_rank(workspace, 1, CompressionResult(made.stack, None), of_update=True)


def test_a_sketch_is_a_projection_of_the_inputs_and_levels_are_nested(workspace: Workspace) -> None:
    made = moved(workspace)
    first, second = (by_directions(workspace, level, made, of_update=False) for level in (1, 2))
    for name in HIDDEN:
        weights, small, smaller = (c.stack.tensors()[name].double() for c in (made, first, second))
        for k in range(workspace.networks):
            rank = int(torch.linalg.matrix_rank(small[k], rtol=1e-5))
            assert rank > torch.linalg.matrix_rank(smaller[k], rtol=1e-5) > 0
            # P(PW) = PW, and what is left is orthogonal to it.
            assert ((weights[k] - small[k]).T @ small[k]).abs().max() < 1e-2
            assert ((small[k] - smaller[k]).T @ smaller[k]).abs().max() < 1e-2


@pytest.mark.parametrize("made_by", [by_rank, by_directions])
@pytest.mark.parametrize("name", ["conv2", "resnet20"])
def test_convolutions_too(made_by: Any, name: str) -> None:
    trial = config(model__name=name, model__width=8, compression__depth=2, compression__target_ratio=3.0, replicates=2)
    workspace = new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))
    made = made_by(workspace, 2, CompressionResult(workspace.initial(), None), of_update=False)
    assert made.sizes is not None
    assert made.sizes.parameters[0] <= workspace.dense_parameters / 3
    assert made.stack(workspace.val_inputs.slice(0, 4)).isfinite().all()
