"""How many numbers each layer may have, so that networks reach a parameter ratio; and what they then cost."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from trainables.compression.interfaces import CompressionResult, Sizes
from trainables.compression.masks import multiply_adds_kept, weight_uses
from trainables.compression.sizing import target_at
from trainables.compression.writing import Encoding
from trainables.looking.places import weight_names
from trainables.stack.model import StackedModel
from trainables.workspace import Workspace

_ROUNDING = 1e-9


def allowed_parameters(workspace: Workspace, number: int, made: CompressionResult) -> float:
    """Parameters that networks may have at a level: those of `made` over target_ratio^(level/depth)."""
    return made.stack.parameters_per_network / target_at(workspace.config.compression, number)


def hidden_layers(stack: StackedModel) -> dict[str, torch.Size]:
    """Matrix or kernel of every layer but the classifier → its shape as a matrix."""
    return {name: stack.tensors()[name].flatten(2).shape[1:] for name in weight_names(stack)[:-1]}


def counts_for(
    stack: StackedModel, most: Mapping[str, int], price: Callable[[str, int], int], allowed: float
) -> dict[str, int]:
    """Layer → how much of it stays; only layers that get smaller by it.

    All have the same share of `most`, rounded down but never below 1, the largest at which networks have at most
    `allowed` parameters.

    Args:
        most: Layer → all of it: its full rank, its numbers.
        price: Layer, how much stays → numbers to be stored.
    """
    shapes = hidden_layers(stack)
    shares = sorted({n / m for m in set(most.values()) for n in range(1, m + 1)})

    def counts(share: float) -> dict[str, int]:
        wanted = {name: max(1, int(share * full + _ROUNDING)) for name, full in most.items()}
        return {name: count for name, count in wanted.items() if price(name, count) < shapes[name].numel()}

    place = bisect_left(shares, allowed + _ROUNDING, key=lambda share: parameters_with(stack, counts(share), price))
    return counts(shares[max(place - 1, 0)])


def parameters_with(stack: StackedModel, counts: Mapping[str, int], price: Callable[[str, int], int]) -> int:
    """Parameters of one network of which so much stays in these layers."""
    shapes = hidden_layers(stack)
    stored = sum(price(name, count) - shapes[name].numel() for name, count in counts.items())
    return stack.parameters_per_network + stored


def with_encoding(
    workspace: Workspace, made: CompressionResult, written: Encoding, multiply_adds: Mapping[str, int] | None = None
) -> CompressionResult:
    """The networks with the weights that `written` makes, and their sizes.

    Args:
        multiply_adds: Layer → multiply-adds on one input (a pixel of a convolution) where they are not its weights.
    """
    weights = {name: tensor.clone() for name, tensor in written.weights().items()}
    stack = made.stack.with_tensors({n: weights.get(n, t.clone()) for n, t in made.stack.tensors().items()})
    others = stack.parameters_per_network - sum(tensor[0].numel() for tensor in weights.values())
    parameters = [others + count for count in written.counts()]
    uses, shapes = weight_uses(stack, workspace.input_shape), stack.tensors()
    total = sum(times * (multiply_adds or {}).get(n, shapes[n][0].numel()) for n, times in uses.items())
    sizes = Sizes(parameters, [total] * stack.networks)
    return replace(made, stack=stack, sizes=sizes, encoding=written, masks=None)


def with_encoded_weights(workspace: Workspace, made: CompressionResult, written: Encoding) -> CompressionResult:
    """The networks with the weights that `written` makes; as many parameters as before."""
    weights = written.weights()
    stack = made.stack.with_tensors(
        {n: weights[n] if n in weights else t.clone() for n, t in made.stack.tensors().items()}
    )
    sizes = made.sizes
    if sizes is None:
        one = multiply_adds_kept(stack, {}, workspace.input_shape)
        sizes = Sizes([stack.parameters_per_network] * stack.networks, one)
    return replace(made, stack=stack, sizes=sizes, encoding=written)


def matrices(stack: StackedModel, names: Sequence[str]) -> dict[str, Tensor]:
    """[K, m, n] each: affine maps [inputs, outputs], convolutions [outputs, inputs · height · width]."""
    return {name: stack.tensors()[name].flatten(2) for name in names}
