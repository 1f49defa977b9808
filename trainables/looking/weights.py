"""Numbers of the weights of K networks alone."""

import numpy as np
import torch
from torch import Tensor

from trainables.stack.batch_norm import StackedBatchNorm
from trainables.stack.model import StackedModel

_EPSILON = 1e-5  # of batch norm


def spectral_norms(weights: Tensor) -> Tensor:
    """[K] float64, the largest singular value of each matrix [K, rows, columns].

    The square root of the largest eigenvalue of the smaller Gram matrix, in double precision.
    """
    return squared_singular_values(weights)[:, -1].sqrt()


def squared_singular_values(weights: Tensor) -> Tensor:
    """[K, M] float64 ascending, never negative, of matrices [K, rows, columns]; M is the smaller side.

    The eigenvalues of the smaller Gram matrix. On a CPU NumPy finds them: of 1024 × 1024 matrices in half the time, on
    an AMD processor.
    """
    w = weights.double()
    if w.is_cuda:
        found: Tensor = torch.linalg.eigvalsh(w @ w.mT if w.shape[1] <= w.shape[2] else w.mT @ w)
        return found.clamp(min=0)
    matrices = w.numpy() if w.shape[1] <= w.shape[2] else w.mT.numpy()
    values = np.stack([np.linalg.eigvalsh(matrix @ matrix.T) for matrix in matrices])
    return torch.from_numpy(values).clamp(min=0)


def path_norms(stack: StackedModel, input_shape: tuple[int, ...]) -> Tensor:
    """[K] float64, √ of the sum over outputs of the network with squared weights, no biases, on an input of ones.

    Without pooling the sum over all paths from an input to an output of the product of squared weights; pooling stays
    as it is. Batch norm is its scale, (γ/√(variance + ε))².

    References:
        Neyshabur et al. 2015, arXiv:1503.00036.
    """
    norms = {name for name, module in stack.named_modules() if isinstance(module, StackedBatchNorm)}
    squared = {}
    for name, tensor in stack.tensors().items():
        module, _, kind = name.rpartition(".")
        value = tensor.double() if tensor.is_floating_point() else tensor
        if kind in ("bias", "running_mean"):
            value = torch.zeros_like(value)
        elif kind == "running_var" and module in norms:
            value = (value + _EPSILON).square() - _EPSILON
        elif tensor.is_floating_point():
            value = value.square()
        squared[name] = value
    ones = torch.ones(stack.networks, 1, *input_shape, dtype=torch.float64, device=next(stack.parameters()).device)
    with torch.no_grad():
        return stack.with_tensors(squared).answers(ones).sum((1, 2)).sqrt()


def outgoing_lengths(stack: StackedModel) -> dict[str, Tensor]:
    """Group → [K, units] float64, the length of each unit's outgoing weights."""
    tensors, found = stack.tensors(), {}
    for group, units in zip(stack.groups, stack.widths, strict=True):
        squares = torch.zeros(stack.networks, units, dtype=torch.float64, device=tensors[group.weights[0]].device)
        for cut in group.others:
            if cut.tensor.endswith(".weight") and tensors[cut.tensor].ndim >= 3:
                along = tensors[cut.tensor].double().movedim(cut.axis, 1)
                squares += along.reshape(stack.networks, units, -1).square().sum(2)
        found[group.name] = squares.sqrt()
    return found
