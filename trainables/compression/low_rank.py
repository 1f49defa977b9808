"""Matrices of low rank: factors, directions, and what of the networks they approximate."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

from trainables.compression.budgets import allowed_parameters, counts_for, hidden_layers, with_encoding
from trainables.compression.description import SEED_BITS
from trainables.compression.interfaces import CompressionResult
from trainables.compression.writing import DrawSource, Encoding, Expand, Expansion, Part, as_it_is
from trainables.moving import to_device
from trainables.stack.model import StackedModel
from trainables.workspace import Workspace


def factors(weights: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """[K, m, rank] and [K, rank, n], whose product is the closest matrix of this rank in the Frobenius norm.

    The singular values are in equal parts in both, so that one code book suits either.

    Args:
        weights: [K, m, n], or a kernel [K, outputs, inputs, height, width] as [outputs, inputs · height · width].
        rank: 1 … min(m, n).
    """
    left, values, right = torch.linalg.svd(weights.flatten(2), full_matrices=False)
    root = values[:, :rank].sqrt()
    return left[:, :, :rank] * root[:, None], root[:, :, None] * right[:, :rank]


def directions(shape: tuple[int, ...], draws: list[torch.Generator]) -> Tensor:
    """[K, n, rank] orthonormal columns, evenly distributed over all directions; one network a generator."""
    rows = [torch.linalg.qr(torch.randn(shape, generator=draw))[0] for draw in draws]
    return torch.stack(rows)


def ranks_for(stack: StackedModel, allowed: float) -> dict[str, int]:
    """Ranks of the layers that are to be factored, for networks of at most `allowed` parameters if that can be.

    Every layer but the last has the same share of its full rank, the largest that suffices.
    """
    full = {name: min(shape) for name, shape in hidden_layers(stack).items()}
    return counts_for(stack, full, rank_price(stack), allowed)


def rank_price(stack: StackedModel) -> Callable[[str, int], int]:
    """Layer, rank → numbers of its factors."""
    shapes = hidden_layers(stack)
    return lambda name, rank: rank * sum(shapes[name])


def rows_for(stack: StackedModel, allowed: float) -> dict[str, int]:
    """The same for projections of the input side: random directions cost nothing, what is left along them does."""
    inputs = {name: shape[input_side(stack, name)] for name, shape in hidden_layers(stack).items()}
    return counts_for(stack, inputs, row_price(stack), allowed)


def row_price(stack: StackedModel) -> Callable[[str, int], int]:
    """Layer, directions → numbers along them."""
    outputs = {name: shape[1 - input_side(stack, name)] for name, shape in hidden_layers(stack).items()}
    return lambda name, rank: rank * outputs[name]


class Factors(Expansion):
    """Weights (or what was added to the initial ones) are products of two factors.

    Attributes:
        layers: That are.
        of_update: Whether products are added to weights before training.
    """

    kind: Literal["factors"] = "factors"
    layers: tuple[str, ...]
    of_update: bool

    def expander(self, source: DrawSource, shape: StackedModel, start: Mapping[str, Tensor]) -> Expand:
        """Multiplies."""
        shapes = {name: tensor.shape[1:] for name, tensor in shape.tensors().items()}

        def expand(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
            weights = {name: values[name] for name in values if name in shapes}
            for name in self.layers:
                product = (values[f"{name} left"] @ values[f"{name} right"]).view(-1, *shapes[name])
                weights[name] = product + start[name] if self.of_update else product
            return weights

        return expand


def by_rank(workspace: Workspace, number: int, made: CompressionResult, *, of_update: bool) -> CompressionResult:
    """The networks with weights (or updates from initialisation) of a smaller rank."""
    stack, start = made.stack, start_of(workspace, made, of_update=of_update)
    ranks = ranks_for(stack, allowed_parameters(workspace, number, made))
    parts = dict(as_it_is(stack).parts)
    tensors = stack.tensors()
    for name, rank in ranks.items():
        del parts[name]
        target = tensors[name] - start[name] if of_update else tensors[name]
        left, right = factors(target, rank)
        parts |= {f"{name} left": Part(left), f"{name} right": Part(right)}
    shapes = hidden_layers(stack)
    # An update's factors are added to initial weights: nothing is saved there.
    cost = {} if of_update else {name: rank * sum(shapes[name]) for name, rank in ranks.items()}
    expansion = Factors(layers=tuple(ranks), of_update=of_update)
    expand = expansion.expander(workspace, stack, start)
    return with_encoding(workspace, made, Encoding(parts, expand, expansion, SEED_BITS if of_update else 0), cost)


class Directions(Expansion):
    """Weights (or what was added to the initial ones) lie along input directions that are drawn again.

    Attributes:
        ranks: Layer → its directions.
        of_update: Whether products are added to weights before training.
    """

    kind: Literal["directions"] = "directions"
    ranks: dict[str, int]
    of_update: bool

    def expander(self, source: DrawSource, shape: StackedModel, start: Mapping[str, Tensor]) -> Expand:
        """Draws the directions again."""
        along = {name: drawn_along(source, shape, name, rank) for name, rank in self.ranks.items()}
        return self.by(along, shape, start)

    def by(self, along: Mapping[str, Tensor], shape: StackedModel, start: Mapping[str, Tensor]) -> Expand:
        """The function, of directions that are there: multiplies."""
        shapes = {name: tensor.shape[1:] for name, tensor in shape.tensors().items()}

        def expand(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
            weights = {name: values[name] for name in values if name in shapes}
            for name, basis in along.items():
                sketch = values[f"{name} sketch"]
                product = basis @ sketch if input_side(shape, name) == 0 else sketch @ basis.mT
                product = product.view(-1, *shapes[name])
                weights[name] = product + start[name] if self.of_update else product
            return weights

        return expand


def drawn_along(source: DrawSource, stack: StackedModel, name: str, rank: int) -> Tensor:
    """[K, inputs, rank] directions of a layer: the first columns of one orthonormal matrix; levels are nested."""
    draws = [source.draws_for_networks("sketch", name)(k) for k in range(stack.networks)]
    size = hidden_layers(stack)[name][input_side(stack, name)]
    return to_device(directions((size, size), draws), stack.tensors()[name].device)[:, :, :rank]


def by_directions(workspace: Workspace, number: int, made: CompressionResult, *, of_update: bool) -> CompressionResult:
    """The networks with weights (or updates) of which only what lies along random input directions is left."""
    stack, start = made.stack, start_of(workspace, made, of_update=of_update)
    tensors = stack.tensors()
    ranks = rows_for(stack, allowed_parameters(workspace, number, made))
    parts, along = dict(as_it_is(stack).parts), {}
    for name, rank in ranks.items():
        del parts[name]
        target = (tensors[name] - start[name] if of_update else tensors[name]).flatten(2)
        basis = along[name] = drawn_along(workspace, stack, name, rank)
        parts[f"{name} sketch"] = Part(basis.mT @ target if input_side(stack, name) == 0 else target @ basis)
    expansion = Directions(ranks=ranks, of_update=of_update)
    expand = expansion.by(along, stack, start)
    return with_encoding(workspace, made, Encoding(parts, expand, expansion, SEED_BITS))


def needs_start(written: Encoding) -> bool:
    """Whether weights before training take part in a description."""
    return isinstance(written.expansion, Factors | Directions) and written.expansion.of_update


def start_of(workspace: Workspace, made: CompressionResult, *, of_update: bool) -> dict[str, Tensor]:
    """The same units' weights before training; nothing where they are not asked for."""
    if not of_update:
        return {}
    if made.origin is None:
        raise ValueError("these units come from no dense network, so that they have no initial weights")
    return workspace.initial().keep_units(made.origin).tensors()


def input_side(stack: StackedModel, name: str) -> int:
    """Which side of the layer's matrix its inputs are: rows of an affine map, columns of a kernel."""
    return 0 if stack.tensors()[name].ndim == 3 else 1
