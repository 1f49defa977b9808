"""Layers made of few numbers: cosine coefficients, or values that a hash spreads over the weights."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from trainables.compression.budgets import allowed_parameters, counts_for, hidden_layers, with_encoding
from trainables.compression.description import SEED_BITS
from trainables.compression.interfaces import CompressionResult
from trainables.compression.masks import kept_values
from trainables.compression.writing import Encoding, Part, as_it_is
from trainables.moving import to_device
from trainables.stack.model import StackedModel
from trainables.workspace import Workspace


def cosines(size: int) -> Tensor:
    """[size, size] float64: the orthonormal DCT-II, frequencies along the first axis."""
    angle = torch.arange(size, dtype=torch.float64)[:, None] * (torch.arange(size, dtype=torch.float64) + 0.5)
    matrix = torch.cos(angle * (math.pi / size)) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix


def numbers_for(stack: StackedModel, allowed: float) -> dict[str, int]:
    """How many numbers each layer but the last is made of: the same share of its weights, the largest that suffices."""
    return counts_for(stack, {n: s.numel() for n, s in hidden_layers(stack).items()}, lambda _, count: count, allowed)


def by_coefficients(workspace: Workspace, number: int, made: CompressionResult, *, largest: bool) -> CompressionResult:
    """The networks with layers of few coefficients: the largest, or those of the lowest frequencies."""
    stack, tensors = made.stack, made.stack.tensors()
    counts = numbers_for(stack, allowed_parameters(workspace, number, made))
    parts = dict(as_it_is(stack).parts)
    sides: dict[str, tuple[Tensor, Tensor]] = {}
    for name, count in counts.items():
        del parts[name]
        weights = tensors[name].flatten(2)
        rows, columns = (to_device(cosines(size).float(), weights.device) for size in weights.shape[1:])
        sides[name] = rows, columns
        coefficients = (rows @ weights @ columns.mT).flatten(1)
        if largest:
            scores, everyone = coefficients.abs(), torch.ones_like(coefficients, dtype=torch.bool)
            kept = kept_values(scores, everyone, count, "lowest")
            parts[f"{name} coefficients"] = Part(coefficients * kept, kept)
        else:
            parts[f"{name} coefficients"] = Part(
                coefficients[:, lowest_places(weights.shape[1:], count, weights.device)]
            )

    def expand(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found = {name: values[name] for name in parts if name in tensors}
        for name, (rows, columns) in sides.items():
            coefficients = values[f"{name} coefficients"]
            if not largest:
                whole = coefficients.new_zeros(len(coefficients), rows.shape[0] * columns.shape[0])
                places = lowest_places((rows.shape[0], columns.shape[0]), counts[name], whole.device)
                coefficients = whole.index_copy(1, places, coefficients)
            square = coefficients.view(len(coefficients), rows.shape[0], columns.shape[0])
            found[name] = (rows.mT @ square @ columns).view(tensors[name].shape)
        return found

    return with_encoding(workspace, made, Encoding(parts, expand))


def lowest_places(shape: tuple[int, ...], count: int, device: torch.device) -> Tensor:
    """Places of the coefficients of lowest frequency, i/m + j/n; of equal ones the first."""
    high = torch.arange(shape[0])[:, None] / shape[0] + torch.arange(shape[1]) / shape[1]
    return to_device(high.flatten().argsort(stable=True)[:count].sort().values, device)


def by_buckets(workspace: Workspace, number: int, made: CompressionResult) -> CompressionResult:
    """The networks with layers whose weights share few values at random."""
    stack, tensors = made.stack, made.stack.tensors()
    counts = numbers_for(stack, allowed_parameters(workspace, number, made))
    parts = dict(as_it_is(stack).parts)
    hashes: dict[str, tuple[Tensor, Tensor]] = {}
    for name, count in counts.items():
        del parts[name]
        weights = tensors[name].flatten(1)
        draws, device = workspace.draws("hash", name), weights.device
        drawn = (torch.rand(weights.shape[1], generator=draws, dtype=torch.float64) * count).long()
        sign = to_device(torch.randint(2, drawn.shape, generator=draws) * 2.0 - 1, device)
        bucket, sizes = to_device(drawn, device), to_device(drawn.bincount(minlength=count).clamp_min(1), device)
        hashes[name] = bucket, sign
        sums = weights.new_zeros(len(weights), count).index_add(1, bucket, weights * sign)
        parts[f"{name} values"] = Part(sums / sizes)

    def expand(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found = {name: values[name] for name in parts if name in tensors}
        for name, (bucket, sign) in hashes.items():
            found[name] = (values[f"{name} values"][:, bucket] * sign).view(tensors[name].shape)
        return found

    return with_encoding(workspace, made, Encoding(parts, expand, SEED_BITS))
