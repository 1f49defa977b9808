"""Networks whose weights are made from other numbers, which are what is trained."""

from collections.abc import Callable, Mapping
from typing import Self

from torch import Tensor, nn
from torch.func import functional_call

from trainables.stack.model import StackedModel, UnitGroup

_DOT = "/"


class GeneratedStack(StackedModel):
    """K networks of a shape, some of whose weights are a function of trained numbers.

    Args:
        shape: A stack of the shape; its own weights mean nothing where they are generated.
        numbers: Name → [K, …]: the numbers.
        fixed: Name → [K, …]: numbers that are not trained, each network its own.
        generate: Both kinds of numbers → name of a parameter of `shape` → [K, …]; differentiable, network by network.
    """

    def __init__(
        self,
        shape: StackedModel,
        numbers: Mapping[str, Tensor],
        generate: Callable[[Mapping[str, Tensor]], dict[str, Tensor]],
        fixed: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__()
        # In a tuple, so that its parameters are none of this module's.
        self._shape, self._generate = (shape,), generate
        self.fixed = nn.Module()
        for name, tensor in (fixed or {}).items():
            self.fixed.register_buffer(name, tensor)
        weights = generate({**numbers, **(fixed or {})})
        self.numbers = nn.ParameterDict(dict(numbers))
        plain = {name.replace(".", _DOT): p for name, p in shape.named_parameters() if name not in weights}
        self.kept = nn.ParameterDict({name: nn.Parameter(p.detach().clone()) for name, p in plain.items()})
        self.statistics = nn.Module()
        for name, buffer in shape.named_buffers():
            self.statistics.register_buffer(name.replace(".", _DOT), buffer.clone())
        self.eval()

    @property
    def groups(self) -> tuple[UnitGroup, ...]:
        """Groups of the shape."""
        return self._shape[0].groups

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of the shape."""
        return self._shape[0].widths

    @property
    def multiply_adds(self) -> int:
        """Those of the shape; making the weights, once a batch, does not count."""
        return self._shape[0].multiply_adds

    @property
    def largest_layer(self) -> int:
        """The largest layer of the shape that is generated."""
        return self._shape[0].largest_layer

    def train(self, mode: bool = True) -> Self:
        """The shape's mode too."""
        self._shape[0].train(mode)
        return super().train(mode)

    def forward(self, x: Tensor) -> Tensor:
        """[K, B, C, H, W] → logits [K, B, classes]."""
        logits: Tensor = functional_call(self._shape[0], self._all_tensors(), (x,))
        return logits

    def ordinary(self) -> StackedModel:
        """The networks with the weights that are made now as their own."""
        return self._shape[0].with_tensors(
            {name: tensor.detach().clone() for name, tensor in self._all_tensors().items()}
        )

    def unstack(self, network: int) -> nn.Module:
        """An ordinary network with the weights that are made now."""
        return self.ordinary().unstack(network)

    def _all_tensors(self) -> dict[str, Tensor]:
        plain = {name.replace(_DOT, "."): p for name, p in self.kept.items()}
        buffers = {name.replace(_DOT, "."): buffer for name, buffer in self.statistics.named_buffers()}
        return plain | buffers | self._generate({**self.numbers, **dict(self.fixed.named_buffers())})
