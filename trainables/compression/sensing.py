"""Sparse weights from few measurements of them."""

from collections.abc import Mapping

import torch
from torch import Tensor

from trainables.compression.budgets import allowed_parameters, hidden_layers, with_encoding
from trainables.compression.description import SEED_BITS
from trainables.compression.few_numbers import cosines
from trainables.compression.interfaces import CompressionResult
from trainables.compression.low_rank import directions, input_side, rows_for
from trainables.compression.writing import Encoding, Part, as_it_is
from trainables.moving import to_device
from trainables.workspace import Workspace


def sparsest(matrix: Tensor, measured: Tensor, iterations: int) -> Tensor:
    """Basis pursuit: c [K, n, columns] of small Σ|c| in each column, with matrix · c = measured exactly.

    By the alternating direction method of multipliers, each column at its own scale.

    Args:
        matrix: [K, r, n] with orthonormal rows.
        measured: [K, r, columns].
    References:
        Boyd et al. 2011, Distributed optimization and statistical learning via ADMM, section 6.2.
    """
    back = matrix.mT @ measured
    # Least squares start at this height; shrinking by about as much a step finds where weights are in a few dozen.
    scale = back.abs().mean(dim=1, keepdim=True).clamp_min(1e-30)
    found, sparse, dual = back, back, torch.zeros_like(back)
    for _ in range(iterations):
        wanted = sparse - dual
        found = wanted + matrix.mT @ (measured - matrix @ wanted)
        pulled = found + dual
        sparse = pulled.sign() * (pulled.abs() - scale).clamp_min(0)
        dual = pulled - sparse
    return found


def by_measurements(
    workspace: Workspace, number: int, made: CompressionResult, *, cosine: bool, iterations: int
) -> CompressionResult:
    """The networks with weights that are found again from few measurements of each output's."""
    stack = made.stack
    tensors, shapes = stack.tensors(), hidden_layers(stack)
    counts = rows_for(stack, allowed_parameters(workspace, number, made))
    parts, matrices = dict(as_it_is(stack).parts), {}
    for name, count in counts.items():
        del parts[name]
        weights, side = tensors[name].flatten(2), input_side(stack, name)
        draws = [workspace.draws_for_networks("sketch", name)(k) for k in range(stack.networks)]
        # The first columns of one orthonormal matrix, that of `sketch`: levels are nested.
        along = to_device(directions((shapes[name][side],) * 2, draws), weights.device)[:, :, :count]
        matrices[name] = along.mT
        parts[f"{name} measured"] = Part(along.mT @ (weights if side == 0 else weights.mT))

    def expand(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found = {name: values[name] for name in parts if name in tensors}
        for name, matrix in matrices.items():
            measured = values[f"{name} measured"]
            if cosine:
                basis = to_device(cosines(matrix.shape[2]).to(matrix.dtype), matrix.device)
                weights = basis.mT @ sparsest(matrix @ basis.mT, measured, iterations)
            else:
                weights = sparsest(matrix, measured, iterations)
            found[name] = (weights if input_side(stack, name) == 0 else weights.mT).reshape(tensors[name].shape)
        return found

    return with_encoding(workspace, made, Encoding(parts, expand, SEED_BITS))
