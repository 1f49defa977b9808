"""Ranks of layers, and what their factors cost."""

from bisect import bisect_left
from collections.abc import Mapping

import torch
from torch import Tensor

from trainables.compression.interfaces import Sizes
from trainables.compression.masks import weight_uses
from trainables.compression.places import weight_names
from trainables.stack.model import StackedModel

_ROUNDING = 1e-9


def truncated(weights: Tensor, rank: int) -> Tensor:
    """The closest tensor of this rank, in the Frobenius norm, of each network.

    Args:
        weights: [K, m, n], or a kernel [K, outputs, inputs, height, width] as [outputs, inputs · height · width].
        rank: 1 … min(m, n).
    """
    left, values, right = torch.linalg.svd(weights.flatten(2), full_matrices=False)
    product: Tensor = (left[:, :, :rank] * values[:, None, :rank]) @ right[:, :rank]
    return product.view(weights.shape)


def ranks_for(stack: StackedModel, allowed: float) -> dict[str, int]:
    """Ranks of the layers that are to be factored, for networks of at most `allowed` parameters if that can be.

    Every layer but the last has the same share of its full rank, the largest that suffices.
    """
    shapes = {name: stack.tensors()[name].flatten(2).shape[1:] for name in weight_names(stack)[:-1]}
    full = {name: min(shape) for name, shape in shapes.items()}
    shares = sorted({rank / most for most in full.values() for rank in range(1, most + 1)}, reverse=True)

    def ranks(share: float) -> dict[str, int]:
        wanted = {name: max(1, int(share * most + _ROUNDING)) for name, most in full.items()}
        return {name: rank for name, rank in wanted.items() if rank * sum(shapes[name]) < shapes[name].numel()}

    def size(share: float) -> int:
        return stack.parameters_per_network - sum(
            shapes[name].numel() - rank * sum(shapes[name]) for name, rank in ranks(share).items()
        )

    place = bisect_left(shares, -allowed, key=lambda share: -size(share))
    return ranks(shares[min(place, len(shares) - 1)])


def sizes_of(stack: StackedModel, ranks: Mapping[str, int], input_shape: tuple[int, ...]) -> Sizes:
    """Parameters and multiply-adds of networks whose layers have these ranks, the others none.

    Args:
        input_shape: [C, H, W].
    """
    tensors = stack.tensors()
    parameters, multiply_adds = stack.parameters_per_network, 0
    for name, uses in weight_uses(stack, input_shape).items():
        shape = tensors[name].flatten(2).shape[1:]
        weights = ranks[name] * sum(shape) if name in ranks else shape.numel()
        parameters += weights - shape.numel()
        multiply_adds += uses * weights
    return Sizes([parameters] * stack.networks, [multiply_adds] * stack.networks)
