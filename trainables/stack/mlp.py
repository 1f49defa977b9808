"""K multilayer perceptrons."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from trainables.stack.dropout import StackedDropout
from trainables.stack.layers import StackedLinear, he_normal
from trainables.stack.model import Cut, Group, StackedModel
from trainables.stack.spatial import unstacked


class StackedMLP(StackedModel):
    """Flatten, then affine layers with ReLUs between them.

    Args:
        sizes: Inputs, hidden widths, classes.
        init_scale: Factor on the He initial weights.
        draws: One generator a network.
        dropout: Rate after each ReLU.
    """

    def __init__(
        self, sizes: Sequence[int], init_scale: float, draws: Sequence[torch.Generator], dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(he_normal(i, o, init_scale, draws) for i, o in itertools.pairwise(sizes))
        self.drops = nn.ModuleList(StackedDropout(dropout, draws) for _ in sizes[1:-1] if dropout)
        self.eval()

    @property
    def groups(self) -> tuple[Group, ...]:
        """One group a hidden layer: `hidden_1` …"""
        return tuple(
            Group(
                name=f"hidden_{i + 1}",
                incoming=(Cut(f"layers.{i}.weight", 2),),
                others=(Cut(f"layers.{i}.bias", 2), Cut(f"layers.{i + 1}.weight", 1)),
            )
            for i in range(len(self.layers) - 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[K, B, …] → logits [K, B, classes]."""
        x = x.flatten(2)
        *hidden, classifier = self.layers
        for place, layer in enumerate(hidden):
            x = torch.relu(layer(x))
            if self.drops:
                x = self.drops[place](x)
        logits: Tensor = classifier(x)
        return logits

    def unstack(self, network: int) -> nn.Sequential:
        """Flatten, Linear, ReLU, …, Linear, in evaluation mode."""
        layers = [layer.unstack(network) for layer in self.layers if isinstance(layer, StackedLinear)]
        parts: list[nn.Module] = [nn.Flatten()]
        for place, layer in enumerate(layers[:-1]):
            parts += [layer, nn.ReLU(), *(unstacked(drop, network) for drop in self.drops[place : place + 1])]
        return nn.Sequential(*parts, layers[-1]).eval()
