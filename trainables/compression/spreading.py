"""Weights that few trained numbers are spread over: values by a hash, or cosine coefficients of low frequency."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainables.compression.few_numbers import hash_places, lowest_places, numbers_for, transforms
from trainables.compression.writing import DrawSource, output_axis
from trainables.moving import to_device
from trainables.stack.model import StackedModel

_DOT = "/"  # names of numbers have no dots
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Spread(ABC):
    """Numbers of each layer, and the linear map from them to its weights, the same for all networks.

    Args:
        shapes: Layer → shape of its tensor, without the axis of networks.
        counts: Layer → its numbers.
        scales: Layer → deviation with which numbers start, so that weights start with the layer's own.
        places: Layer → what the map needs.
    """

    shapes: dict[str, tuple[int, ...]]
    counts: dict[str, int]
    scales: dict[str, float]
    places: dict[str, tuple[Tensor, ...]] = field(compare=False)

    @property
    def fixed_numbers(self) -> dict[str, Tensor]:
        """None."""
        return {}

    def start(self, draws: Sequence[torch.Generator]) -> dict[str, Tensor]:
        """Normal numbers [K, count] of each layer."""
        return {
            name.replace(".", _DOT): torch.stack([torch.randn(count, generator=draw) for draw in draws])
            * self.scales[name]
            for name, count in self.counts.items()
        }

    def weights(self, numbers: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Layer → [K, …]."""
        return {
            name: self.spread(name, numbers[name.replace(".", _DOT)]).reshape(-1, *shape)
            for name, shape in self.shapes.items()
        }

    @abstractmethod
    def spread(self, name: str, numbers: Tensor) -> Tensor:
        """[K, …] weights of a layer from its numbers [K, count]."""


class HashedWeights(Spread):
    """w = sign · v[bucket]: places are buckets and signs of all weights of a layer, drawn from a seed."""

    def spread(self, name: str, numbers: Tensor) -> Tensor:
        """Every weight the value of its bucket, with its sign."""
        bucket, sign = self.places[name]
        return numbers[:, bucket] * sign


class CosineWeights(Spread):
    """W = CᵀXD with the coefficients of lowest frequency in X, all others 0: places are these, C and D."""

    def spread(self, name: str, numbers: Tensor) -> Tensor:
        """The inverse transform."""
        places, rows, columns = self.places[name]
        square = numbers.new_zeros(len(numbers), len(rows) * len(columns)).index_copy(1, places, numbers)
        return rows.mT @ square.view(-1, len(rows), len(columns)) @ columns


def hashed_for(source: DrawSource, shape: StackedModel, allowed: float) -> HashedWeights:
    """As many values of each layer as networks may have at `allowed` parameters."""
    counts, shapes, scales, device = _layers(shape, allowed)
    places: dict[str, tuple[Tensor, ...]] = {}
    for name, count in counts.items():
        bucket, sign = hash_places(source, name, math.prod(shapes[name]), count)
        places[name] = to_device(bucket, device), to_device(sign, device)
    return HashedWeights(shapes, counts, scales, places)


def cosines_for(source: DrawSource, shape: StackedModel, allowed: float) -> CosineWeights:
    """As many coefficients of each layer as networks may have at `allowed` parameters."""
    counts, shapes, scales, device = _layers(shape, allowed)
    tensors = shape.tensors()
    places: dict[str, tuple[Tensor, ...]] = {}
    for name, count in counts.items():
        sides = tensors[name].flatten(2).shape[1:]
        places[name] = lowest_places(tuple(sides), count, device), *transforms(tensors[name])
        scales[name] *= math.sqrt(math.prod(sides) / count)  # an orthonormal map keeps the sum of squares
    return CosineWeights(shapes, counts, scales, places)


def _layers(
    shape: StackedModel, allowed: float
) -> tuple[dict[str, int], dict[str, tuple[int, ...]], dict[str, float], torch.device]:
    tensors = shape.tensors()
    counts = numbers_for(shape, allowed)
    shapes = {name: tuple(tensors[name].shape[1:]) for name in counts}
    scales = {}
    for name in counts:
        inputs = tensors[name][0].numel() // tensors[name].shape[output_axis(tensors[name])]
        scales[name] = math.sqrt(2 / inputs)
    return counts, shapes, scales, next(iter(tensors.values())).device


@dataclass(frozen=True)
class SubspaceWeights:
    """w = z + P θ for all parameters of a stack, batch norm's too.

    Args:
        starts: Parameter → z, [K, …].
        directions: Parameter → its rows of P, [numbers of it, d].
        dimensions: d.
    """

    starts: dict[str, Tensor] = field(compare=False)
    directions: dict[str, Tensor] = field(compare=False)
    dimensions: int

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Parameter → its shape, without the axis of networks."""
        return {name: tuple(start.shape[1:]) for name, start in self.starts.items()}

    @property
    def fixed_numbers(self) -> dict[str, Tensor]:
        """z."""
        return {name.replace(".", _DOT): start for name, start in self.starts.items()}

    def start(self, draws: Sequence[torch.Generator]) -> dict[str, Tensor]:
        """θ = 0 [K, d]: nothing is drawn."""
        return {"coordinates": torch.zeros(len(draws), self.dimensions)}

    def weights(self, numbers: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Parameter → [K, …]."""
        coordinates = numbers["coordinates"]
        starts = {name: numbers[name.replace(".", _DOT)] for name in self.starts}
        return {
            name: start + (coordinates @ self.directions[name].mT).view(start.shape) for name, start in starts.items()
        }


def subspace_for(source: DrawSource, shape: StackedModel, allowed: float) -> SubspaceWeights:
    """As many dimensions as networks may have parameters, around their own initial values."""
    dimensions = max(1, int(allowed + _ROUNDING))
    draws = source.draws("subspace directions")
    starts = {name: parameter.detach().clone() for name, parameter in shape.named_parameters()}
    directions = {
        name: (torch.randn(start[0].numel(), dimensions, generator=draws) / math.sqrt(dimensions)).to(start.device)
        for name, start in starts.items()
    }
    return SubspaceWeights(starts, directions, dimensions)
