"""Sparse weights from few measurements of them."""

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from trainables.compression.budgets import allowed_parameters, with_encoding
from trainables.compression.description import SEED_BITS
from trainables.compression.few_numbers import cosines
from trainables.compression.interfaces import CompressionResult
from trainables.compression.low_rank import drawn_along, input_side, rows_for
from trainables.compression.writing import DrawSource, Encoding, Expand, Expansion, Part, as_it_is
from trainables.moving import to_device
from trainables.stack.model import StackedModel
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


class Measurements(Expansion):
    """Weights are the sparsest that agree with measurements along directions that are drawn again.

    Attributes:
        ranks: Layer → measurements of each output.
        cosine: Whether it is cosine coefficients that are sparse, or weights themselves.
        iterations: Of the search.
    """

    kind: Literal["measurements"] = "measurements"
    ranks: dict[str, int]
    cosine: bool
    iterations: int = Field(ge=1, le=100_000)

    def expander(self, source: DrawSource, shape: StackedModel, start: Mapping[str, Tensor]) -> Expand:
        """Draws the directions again."""
        return self.by({name: drawn_along(source, shape, name, rank) for name, rank in self.ranks.items()}, shape)

    def by(self, along: Mapping[str, Tensor], shape: StackedModel) -> Expand:
        """The function, of directions that are there: looks for the sparsest."""
        shapes = {name: tensor.shape[1:] for name, tensor in shape.tensors().items()}

        def expand(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
            found = {name: values[name] for name in values if name in shapes}
            for name, directions in along.items():
                matrix, measured = directions.mT, values[f"{name} measured"]
                if self.cosine:
                    basis = to_device(cosines(matrix.shape[2]).to(matrix.dtype), matrix.device)
                    weights = basis.mT @ sparsest(matrix @ basis.mT, measured, self.iterations)
                else:
                    weights = sparsest(matrix, measured, self.iterations)
                found[name] = (weights if input_side(shape, name) == 0 else weights.mT).reshape(-1, *shapes[name])
            return found

        return expand


def by_measurements(
    workspace: Workspace, number: int, made: CompressionResult, *, cosine: bool, iterations: int
) -> CompressionResult:
    """The networks with weights that are found again from few measurements of each output's."""
    stack = made.stack
    tensors = stack.tensors()
    counts = rows_for(stack, allowed_parameters(workspace, number, made))
    parts, along = dict(as_it_is(stack).parts), {}
    for name, count in counts.items():
        del parts[name]
        weights = tensors[name].flatten(2)
        directions = along[name] = drawn_along(workspace, stack, name, count)  # those of `sketch`
        parts[f"{name} measured"] = Part(directions.mT @ (weights if input_side(stack, name) == 0 else weights.mT))
    expansion = Measurements(ranks=counts, cosine=cosine, iterations=iterations)
    return with_encoding(workspace, made, Encoding(parts, expansion.by(along, stack), expansion, SEED_BITS))
