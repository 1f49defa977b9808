"""K multilayer perceptrons."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from trainables.stack.dropout import StackedDropout
from trainables.stack.layers import StackedLinear, normal_linear
from trainables.stack.model import Cut, Loss, StackedModel, UnitGroup, Use
from trainables.stack.spatial import unstack_step
from trainables.stack.tied import StackedTiedUnits, recognise


class StackedMLP(StackedModel):
    """Flatten, then affine layers with ReLUs between them.

    Args:
        sizes: Inputs, hidden widths, classes.
        init_scale: Factor on the initial weights.
        draws: One generator a network.
        dropout: Rate after each ReLU.
        init: As `layers.deviation`.
        tied: Shares of hidden units tied to examples, and of examples that each of these is tied to; None: none are.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        init_scale: float,
        draws: Sequence[torch.Generator],
        dropout: float = 0.0,
        init: str = "he",
        *,
        tied: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.layers = nn.ModuleList(normal_linear(i, o, init_scale, draws, init) for i, o in itertools.pairwise(sizes))
        self.drops = nn.ModuleList(StackedDropout(dropout, draws) for _ in sizes[1:-1] if dropout)
        hidden_sizes = sizes[1:-1] if tied else ()
        self.ties = nn.ModuleList(StackedTiedUnits(units, tied or (0.0, 1.0), draws) for units in hidden_sizes)
        self.eval()

    @property
    def groups(self) -> tuple[UnitGroup, ...]:
        """One group a hidden layer: `hidden_1` …"""
        return tuple(
            UnitGroup(
                name=f"hidden_{i + 1}",
                incoming=(Cut(f"layers.{i}.weight", 2),),
                others=(Cut(f"layers.{i}.bias", 2), Cut(f"layers.{i + 1}.weight", 1), *self._ties(i)),
            )
            for i in range(len(self.layers) - 1)
        )

    def _ties(self, layer: int) -> tuple[Cut, ...]:
        return (Cut(f"ties.{layer}.tie", 1),) if self.ties else ()

    def forward(self, x: Tensor) -> Tensor:
        """[K, B, …] → logits [K, B, classes]."""
        return self._activations(x)[-1]

    def descend(self, x: Tensor, targets: Tensor, loss: Loss, use: Use) -> tuple[Tensor, Tensor]:
        """As `StackedModel.descend`, without a graph: a layer is updated before the gradient of the next is made.

        So the gradient is still in the processor's cache when the optimizer reads it (about a tenth of a step of
        784-512-512-10 networks), and a little memory serves all layers and networks. A GPU updates all layers at once.
        """
        if self.in_pieces or torch.is_autocast_enabled(x.device.type):
            return super().descend(x, targets, loss, use)
        with torch.no_grad():
            *activations, logits = self._activations(x)
            losses, gradient = loss(logits, targets)
            keep_share = 1 - self.dropout if self.training else 1.0
            layers = [layer for layer in self.layers if isinstance(layer, StackedLinear)]
            together = [layer.gradients_at_once for layer in layers]
            most = max(n * layer.weight.numel() for n, layer in zip(together, layers, strict=True))
            memory, at_the_end = logits.new_empty(most // len(x)), x.is_cuda
            places: list[int] = []
            gradients: list[Tensor] = []
            for place in reversed(range(len(layers))):
                layer, inputs, some = layers[place], activations.pop(), together[place]
                output_gradient = gradient
                if place:
                    # An input is 0 where the ReLU cut it or it was dropped, and nothing goes back there.
                    gradient = torch.bmm(output_gradient, layer.weight.mT)
                    torch.ops.aten.threshold_backward.grad_input(gradient, inputs, 0, grad_input=gradient)
                    if keep_share < 1:
                        gradient.mul_(1 / keep_share)
                of_bias = output_gradient.sum(1, keepdim=True)
                if at_the_end:
                    places += 2 * place, 2 * place + 1
                    gradients += torch.bmm(inputs.mT, output_gradient), of_bias
                    continue
                if some == len(x):
                    of_weight = layer.weight_gradient(inputs, output_gradient, memory)
                    use((2 * place, 2 * place + 1), (of_weight, of_bias), None)
                    continue
                use((2 * place + 1,), (of_bias,), None)
                for start in range(0, len(x), some):
                    part = slice(start, min(start + some, len(x)))
                    use((2 * place,), (layer.weight_gradient(inputs[part], output_gradient[part], memory),), part)
            if at_the_end:
                use(places, gradients, None)
        return logits, losses

    def _activations(self, x: Tensor) -> list[Tensor]:
        """What goes into each layer, and the logits."""
        x = x.flatten(2)
        if self.ties:
            recognise(self, x)
        activations = [x]
        for place, layer in enumerate(self.layers[:-1]):
            x = layer(x)
            x = torch.relu(x) if torch.is_grad_enabled() else x.relu_()
            if self.drops:
                x = self.drops[place](x)
            if self.ties:
                x = self.ties[place](x)
            activations.append(x)
        return [*activations, self.layers[-1](x)]

    def unstack(self, network: int) -> nn.Sequential:
        """Flatten, Linear, ReLU, …, Linear, in evaluation mode."""
        layers = [layer.unstack(network) for layer in self.layers if isinstance(layer, StackedLinear)]
        parts: list[nn.Module] = [nn.Flatten()]
        for place, layer in enumerate(layers[:-1]):
            parts += [layer, nn.ReLU(), *(unstack_step(drop, network) for drop in self.drops[place : place + 1])]
            parts += [unstack_step(tie, network) for tie in self.ties[place : place + 1]]
        return nn.Sequential(*parts, layers[-1]).eval()
