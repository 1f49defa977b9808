"""Curvature of the loss of K networks: the largest eigenvalue of its Hessian, and its trace."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from trainables.pausing import Pausing

NamedTensors = dict[str, Tensor]
Product = Callable[[NamedTensors], NamedTensors]


def largest_eigenvalues(product: Product, starts: Sequence[NamedTensors], steps: int) -> Pausing[Tensor]:
    """[K] float64, the largest (algebraic) eigenvalue of each network's symmetric matrix, by Lanczos' iteration.

    Every new vector is made orthogonal to all before it, twice, so that no eigenvalue is found a second time.

    Args:
        product: Parameter → vectors [K, …] ↦ the matrices times these.
        starts: One for each network, parameter → a vector [1, …].
        steps: Products that are made; after each it may pause.
    References:
        Golub & Van Loan, Matrix Computations, section 10.1.
    """
    shapes = {name: torch.cat([start[name] for start in starts]) for name in starts[0]}
    vector = _unit(_flat(shapes))
    basis, diagonal, beside = [vector], [], []
    for step in range(steps):
        made = _flat(product(_unflatten(basis[-1], shapes)))
        diagonal.append((made * basis[-1]).sum(1))
        for _ in range(2):
            for one in basis:
                made = made - (made * one).sum(1, keepdim=True) * one
        if step + 1 < steps:
            length = made.norm(dim=1)
            beside.append(length)
            basis.append(torch.where(length[:, None] > 1e-10, made / length[:, None].clamp(min=1e-300), 0.0))
        yield
    matrix = torch.diag_embed(torch.stack(diagonal, 1))
    if beside:
        off = torch.stack(beside, 1)
        matrix = matrix + torch.diag_embed(off, 1) + torch.diag_embed(off, -1)
    found: Tensor = torch.linalg.eigvalsh(matrix)
    return found[:, -1]


def traces(product: Product, signs: Sequence[Sequence[NamedTensors]]) -> Pausing[Tensor]:
    """[K] float64, each network's trace as the mean of vᵀHv over vectors of random signs (Hutchinson 1990).

    Args:
        product: As for `largest_eigenvalues`.
        signs: Draw → network → parameter → ±1, [1, …]; after each draw it may pause.
    """
    sums = []
    for draw in signs:
        vectors = {name: torch.cat([one[name] for one in draw]) for name in draw[0]}
        sums.append((_flat(product(vectors)) * _flat(vectors)).sum(1))
        yield
    return torch.stack(sums).mean(0)


def _flat(named: NamedTensors) -> Tensor:
    return torch.cat([tensor.flatten(1) for tensor in named.values()], 1).double()


def _unflatten(flat: Tensor, like: NamedTensors) -> NamedTensors:
    parts = torch.split(flat, [tensor[0].numel() for tensor in like.values()], 1)
    return {n: part.reshape(t.shape).to(t.dtype) for (n, t), part in zip(like.items(), parts, strict=True)}


def _unit(vectors: Tensor) -> Tensor:
    lengths: Tensor = vectors.norm(dim=1, keepdim=True)
    return vectors / lengths
