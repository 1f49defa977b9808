"""Convolution, pooling and residual blocks of K networks.

Between them images travel as [B, K · C, H, W], the channels of a network side by side: then a grouped convolution
serves all networks, and batch norm and pooling need not know of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainables.stack.layers import StackedLinear, deviation
from trainables.stack.step import Plan, Signal, SizedStep, Start


class StackedConv(nn.Module):
    """K square convolutions, as one with K groups.

    Args:
        before, after: What comes in and what goes out.
        start: How weights start: from N(0, scale² · deviation²), biases from 0.
        kernel: Pixels on a side.
        stride, padding: In pixels.
        bias: Whether there is one.

    Shapes: weight [K, O, I, kernel, kernel], bias [K, O].
    """

    def __init__(
        self, before: Signal, after: Signal, start: Start, *, kernel: int, stride: int, padding: int, bias: bool
    ) -> None:
        super().__init__()
        self.stride, self.padding, self.pixels = stride, padding, after.pixels
        shape = (after.channels, before.channels, kernel, kernel)
        weight = torch.stack([torch.randn(shape, generator=draw) for draw in start.draws])
        std = start.scale * deviation(start.init, before.channels * kernel**2, after.channels * kernel**2)
        self.weight = nn.Parameter(weight * std)
        self.bias = nn.Parameter(torch.zeros(len(start.draws), after.channels)) if bias else None

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one network on one example."""
        return self.weight[0].numel() * self.pixels

    def forward(self, x: Tensor) -> Tensor:
        """[B, K · I, H, W] → [B, K · O, H', W']."""
        bias = None if self.bias is None else self.bias.flatten()
        networks = self.weight.shape[0]
        return functional.conv2d(x, self.weight.flatten(0, 1), bias, self.stride, self.padding, groups=networks)

    def unstack(self, network: int) -> nn.Conv2d:
        """Network `network` as an ordinary layer with its own copy of the weights."""
        _, outputs, inputs, kernel, _ = self.weight.shape
        layer = nn.Conv2d(
            inputs, outputs, kernel, self.stride, self.padding, bias=self.bias is not None, device="meta"
        ).to_empty(device=self.weight.device)
        with torch.no_grad():
            layer.weight.copy_(self.weight[network])
            if self.bias is not None and layer.bias is not None:
                layer.bias.copy_(self.bias[network])
        return layer


class FlatteningLinear(StackedLinear):
    """K affine maps of images: all values of a network's channels, channel by channel, are its inputs."""

    def forward(self, x: Tensor) -> Tensor:
        """[B, K · C, H, W] or [K, B, C, H, W] → [K, B, O]."""
        if x.ndim == 4:
            x = x.reshape(x.shape[0], self.weight.shape[0], -1).transpose(0, 1)
            return super().forward(x)
        return super().forward(x.flatten(2))

    def unstack(self, network: int) -> nn.Module:
        """Flatten, Linear."""
        return nn.Sequential(nn.Flatten(), super().unstack(network))


class Unchanging(nn.Module):
    """A step without parameters, the same for one network and for many: pooling or ReLU.

    Args:
        layer: As it stands in an ordinary network.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Any layout → the same layout."""
        result: Tensor = self.layer(x)
        return result

    def unstack(self, _network: int) -> nn.Module:
        """The layer."""
        return self.layer


class ErrorFunction(nn.Module):
    """erf(x/√2)."""

    def forward(self, x: Tensor) -> Tensor:
        """Any layout → the same layout."""
        return torch.erf(x * 0.5**0.5)


class Steps(nn.Sequential):
    """Steps one after another; none at all is the identity."""

    def unstack(self, network: int) -> nn.Sequential:
        """Network `network` as ordinary layers."""
        return nn.Sequential(*(unstack_step(step, network) for step in self))


class Residual(nn.Module):
    """body(x) + shortcut(x), for stacked and for ordinary networks alike."""

    def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Images → images."""
        # In place: no step that ends a body needs its own output for the backward pass.
        result: Tensor = self.body(x).add_(self.shortcut(x))
        return result

    def unstack(self, network: int) -> Residual:
        """The block of one ordinary network."""
        return Residual(unstack_step(self.body, network), unstack_step(self.shortcut, network))


def unstack_step(step: nn.Module, network: int) -> nn.Module:
    """Network `network` of a stacked step, as an ordinary module."""
    layer: nn.Module = step.unstack(network)  # type: ignore[operator]
    return layer


def build_steps(plan: Plan, at: Mapping[str, SizedStep], path: str, start: Start) -> Steps:
    """The modules of a plan whose steps lie below `path`; initial weights are drawn in the order of the steps."""
    return Steps(*(step.build(at, f"{path}{place}", start) for place, step in enumerate(plan)))
