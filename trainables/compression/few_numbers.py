"""Layers made of few numbers: cosine coefficients, or values that a hash spreads over the weights."""

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from trainables.compression.budgets import allowed_parameters, counts_for, hidden_layers, with_encoding
from trainables.compression.description import SEED_BITS
from trainables.compression.interfaces import CompressionResult
from trainables.compression.masks import kept_values
from trainables.compression.writing import DrawSource, Encoding, Expand, Expansion, Part, as_it_is
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


class Coefficients(Expansion):
    """Weights are a cosine transform of coefficients, of the lowest frequencies or of all.

    Attributes:
        counts: Layer → its coefficients, of which the others are 0.
        largest: Whether the message says where they are.
    """

    kind: Literal["coefficients"] = "coefficients"
    counts: dict[str, int]
    largest: bool

    def expander(self, source: DrawSource, shape: StackedModel, start: Mapping[str, Tensor]) -> Expand:
        """Makes the cosines again."""
        return self.by({name: transforms(shape.tensors()[name]) for name in self.counts}, shape)

    def by(self, sides: Mapping[str, tuple[Tensor, Tensor]], shape: StackedModel) -> Expand:
        """The function, of cosines that are there: the inverse transform."""
        tensors = shape.tensors()
        shapes = {name: tensors[name].shape[1:] for name in self.counts}

        def expand(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
            found = {name: values[name] for name in values if name in tensors}
            for name, (rows, columns) in sides.items():
                coefficients = values[f"{name} coefficients"]
                if not self.largest:
                    whole = coefficients.new_zeros(len(coefficients), rows.shape[0] * columns.shape[0])
                    places = lowest_places((rows.shape[0], columns.shape[0]), self.counts[name], whole.device)
                    coefficients = whole.index_copy(1, places, coefficients)
                square = coefficients.view(len(coefficients), rows.shape[0], columns.shape[0])
                found[name] = (rows.mT @ square @ columns).view(-1, *shapes[name])
            return found

        return expand


def transforms(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """The cosines of both sides of a layer's matrix, where the layer is."""
    rows, columns = (to_device(cosines(size).float(), tensor.device) for size in tensor.flatten(2).shape[1:])
    return rows, columns


def by_coefficients(workspace: Workspace, number: int, made: CompressionResult, *, largest: bool) -> CompressionResult:
    """The networks with layers of few coefficients: the largest, or those of the lowest frequencies."""
    stack, tensors = made.stack, made.stack.tensors()
    counts = numbers_for(stack, allowed_parameters(workspace, number, made))
    parts, sides = dict(as_it_is(stack).parts), {}
    for name, count in counts.items():
        del parts[name]
        weights = tensors[name].flatten(2)
        rows, columns = sides[name] = transforms(tensors[name])
        coefficients = (rows @ weights @ columns.mT).flatten(1)
        if largest:
            scores, everyone = coefficients.abs(), torch.ones_like(coefficients, dtype=torch.bool)
            kept = kept_values(scores, everyone, count, "lowest")
            parts[f"{name} coefficients"] = Part(coefficients * kept, kept)
        else:
            parts[f"{name} coefficients"] = Part(
                coefficients[:, lowest_places(weights.shape[1:], count, weights.device)]
            )
    expansion = Coefficients(counts=counts, largest=largest)
    return with_encoding(workspace, made, Encoding(parts, expansion.by(sides, stack), expansion))


def lowest_places(shape: tuple[int, ...], count: int, device: torch.device) -> Tensor:
    """Places of the coefficients of lowest frequency, i/m + j/n; of equal ones the first."""
    high = torch.arange(shape[0])[:, None] / shape[0] + torch.arange(shape[1]) / shape[1]
    return to_device(high.flatten().argsort(stable=True)[:count].sort().values, device)


class Buckets(Expansion):
    """Every weight has the value of its bucket, with its sign; both are drawn again.

    Attributes:
        counts: Layer → its values.
    """

    kind: Literal["buckets"] = "buckets"
    counts: dict[str, int]

    def expander(self, source: DrawSource, shape: StackedModel, start: Mapping[str, Tensor]) -> Expand:
        """Draws the hashes again."""
        tensors, hashes = shape.tensors(), {}
        for name, count in self.counts.items():
            device = tensors[name].device
            bucket, sign = hash_places(source, name, tensors[name][0].numel(), count)
            hashes[name] = to_device(bucket, device), to_device(sign, device)
        return self.by(hashes, shape)

    def by(self, hashes: Mapping[str, tuple[Tensor, Tensor]], shape: StackedModel) -> Expand:
        """The function, of buckets and signs that are there: looks every weight up."""
        tensors = shape.tensors()
        shapes = {name: tensors[name].shape[1:] for name in hashes}

        def expand(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
            found = {name: values[name] for name in values if name in tensors}
            for name, (bucket, sign) in hashes.items():
                found[name] = (values[f"{name} values"][:, bucket] * sign).view(-1, *shapes[name])
            return found

        return expand


def hash_places(source: DrawSource, name: str, weights: int, count: int) -> tuple[Tensor, Tensor]:
    """The bucket and the sign of each weight of a layer, on the CPU."""
    draws = source.draws("hash", name)
    bucket = (torch.rand(weights, generator=draws, dtype=torch.float64) * count).long()
    return bucket, torch.randint(2, bucket.shape, generator=draws) * 2.0 - 1


def by_buckets(workspace: Workspace, number: int, made: CompressionResult) -> CompressionResult:
    """The networks with layers whose weights share few values at random."""
    stack, tensors = made.stack, made.stack.tensors()
    counts = numbers_for(stack, allowed_parameters(workspace, number, made))
    parts = dict(as_it_is(stack).parts)
    hashes: dict[str, tuple[Tensor, Tensor]] = {}
    for name, count in counts.items():
        del parts[name]
        weights = tensors[name].flatten(1)
        drawn, signs = hash_places(workspace, name, weights.shape[1], count)
        # Counted before they are moved: a count on a GPU is waited for.
        sizes = to_device(drawn.bincount(minlength=count).clamp_min(1), weights.device)
        bucket, sign = hashes[name] = to_device(drawn, weights.device), to_device(signs, weights.device)
        sums = weights.new_zeros(len(weights), count).index_add(1, bucket, weights * sign)
        parts[f"{name} values"] = Part(sums / sizes)
    expansion = Buckets(counts=counts)
    return with_encoding(workspace, made, Encoding(parts, expansion.by(hashes, stack), expansion, SEED_BITS))
