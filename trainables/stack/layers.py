"""Layers whose parameters carry a leading axis K, one slice a network.

Shapes: K networks, B examples, I inputs, O outputs.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

# Below this many outputs a matrix product runs at an eighth of its speed in the usual layout (measured with MKL: 10
# outputs at 10 GFLOP/s, 16 at 70), and the product of the transposes at half.
_NARROW = 16
# Gradients are used up in pieces of this size, which stay in the processor's cache (measured: gradients and updates of
# ten 784 × 512 matrices take 0.95 of the time), but never cut within a vector: optimizers round what is left over after
# the last whole vector differently.
_PIECE_BYTES = 2 << 20
_VECTOR = 16


class StackedLinear(nn.Module):
    """K affine maps: y[k] = x[k] @ weight[k] + bias[k].

    Args:
        weight: [K, I, O].
        bias: [K, 1, O].
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, x: Tensor) -> Tensor:
        """[K, B, I] → [K, B, O]."""
        if self.weight.shape[2] < _NARROW and not x.is_cuda:
            result: Tensor = _NarrowLinear.apply(x, self.weight, self.bias)
            return result
        return torch.baddbmm(self.bias, x, self.weight)

    def weight_gradient(self, x: Tensor, of_output: Tensor, memory: Tensor) -> Tensor:
        """[P, I, O] of P networks from their inputs [P, B, I] and the gradient [P, B, O] of their outputs.

        It lies in `memory` (flat) if wide.
        """
        if self.weight.shape[2] < _NARROW and not x.is_cuda:
            return _narrow_weight_gradient(x, of_output)
        shape = (len(x), *self.weight.shape[1:])
        return torch.bmm(x.mT, of_output, out=memory[: math.prod(shape)].view(shape))

    @property
    def gradients_at_once(self) -> int:
        """For how many networks gradients of the weights are made and used at a time, so that few are in memory."""
        networks, inputs, outputs = self.weight.shape
        each = inputs * outputs
        some = max(1, _PIECE_BYTES // (4 * each))
        return networks if some >= networks or some * each % _VECTOR or self.weight.is_cuda else some

    def unstack(self, network: int) -> nn.Module:
        """Network `network` as an ordinary layer with its own copy of the weights."""
        _, inputs, outputs = self.weight.shape
        layer = nn.Linear(inputs, outputs, device="meta").to_empty(device=self.weight.device)
        with torch.no_grad():
            layer.weight.copy_(self.weight[network].t())
            layer.bias.copy_(self.bias[network, 0])
        return layer


class _NarrowLinear(torch.autograd.Function):
    """The same map, computed as the transposed product; its result is a [K, B, O] view of a [K, O, B] tensor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """[K, B, I], [K, I, O], [K, 1, O] → [K, B, O]."""
        ctx.save_for_backward(x, weight)
        return torch.baddbmm(bias.mT, weight.mT, x.mT).mT

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        """The gradients of x (where one is wanted), weight and bias from that of the result."""
        x, weight = ctx.saved_tensors
        (of_output,) = gradients
        of_input = torch.bmm(of_output, weight.mT) if ctx.needs_input_grad[0] else None
        return of_input, _narrow_weight_gradient(x, of_output), of_output.sum(1, keepdim=True)


def _narrow_weight_gradient(x: Tensor, of_output: Tensor) -> Tensor:
    # Contiguous: fused optimizers pair weight and gradient by their place in memory.
    return torch.bmm(of_output.mT, x).mT.contiguous()


def deviation(init: str, inputs: int, outputs: int) -> float:
    """Standard deviation of initial weights: `he` √(2/inputs), `glorot` √(2/(inputs + outputs)).

    Args:
        inputs, outputs: Of a unit; of a convolution's at all pixels.

    References:
        He et al. 2015, arXiv:1502.01852, for layers followed by a ReLU; Glorot & Bengio 2010.
    """
    return math.sqrt(2 / (inputs if init == "he" else inputs + outputs))


def normal_linear(
    inputs: int, outputs: int, scale: float, draws: Sequence[torch.Generator], init: str = "he"
) -> StackedLinear:
    """One layer a generator, normal weights of `scale` times `deviation` and zero biases.

    References:
        `scale` as in Chizat et al. 2019.
    """
    std = scale * deviation(init, inputs, outputs)
    weight = torch.stack([torch.randn(inputs, outputs, generator=draw) for draw in draws]) * std
    return StackedLinear(weight, torch.zeros(len(draws), 1, outputs))
