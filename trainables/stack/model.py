"""The base of stacked models: what can be cut, and how a stack shrinks, splits and comes apart."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.func import functional_call

from trainables.moving import to_device

Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
# Takes gradients: places in `parameters()`, a gradient for each, which it may change and must not keep, and of which
# networks they are (None: of all).
Use = Callable[[Sequence[int], Sequence[Tensor], slice | None], None]


@dataclass(frozen=True)
class Cut:
    """Where a group's units lie in one parameter or buffer.

    Args:
        tensor: Its name in `named_parameters` or `named_buffers`.
        axis: The axis along which units lie; 0 is the axis of networks.
        repeat: Consecutive indices a unit owns there, e.g. the pixels of a channel that was flattened.
    """

    tensor: str
    axis: int
    repeat: int = 1


@dataclass(frozen=True)
class UnitGroup:
    """Units that are kept or removed together wherever they appear.

    Args:
        name: E.g. `hidden_1`.
        incoming: Where a unit's incoming weights lie, what criteria score: one cut for each layer that makes the units
            (several where a residual connection adds what they make).
        others: Everything else that goes with a unit: its bias, its outgoing weights, its statistics.
    """

    name: str
    incoming: tuple[Cut, ...]
    others: tuple[Cut, ...]

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """All of them."""
        return (*self.incoming, *self.others)

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the tensors that hold the incoming weights."""
        return tuple(cut.tensor for cut in self.incoming)

    @property
    def makers(self) -> tuple[str, ...]:
        """Names of the layers that make the units."""
        return tuple(name.rpartition(".")[0] for name in self.weights)


class StackedModel(nn.Module, ABC):
    """K networks of one shape. Every parameter and buffer has K as its first axis, and sizes live in shapes alone.

    Attributes:
        together: Most networks whose activations are in memory at once, in training and evaluation; None: all.
        one_by_one: Whether convolutions run one network after another, in no grouped call; None: by their size.
    """

    together: int | None = None
    one_by_one: bool | None = None

    @property
    @abstractmethod
    def groups(self) -> tuple[UnitGroup, ...]:
        """The prunable groups, from input to output. The classifier's outputs are in none."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """[K, B, C, H, W] float32, normalised → logits [K, B, classes]."""

    @abstractmethod
    def unstack(self, network: int) -> nn.Module:
        """Network `network` as an ordinary module on inputs [B, C, H, W], outputs equal to 1e-5."""

    def respond(self, sums: Tensor) -> Tensor:
        """What hidden units make of the sums that reach them: ReLUs."""
        return sums.relu()

    def gradients(self, x: Tensor, targets: Tensor, loss: Loss) -> tuple[Tensor, Tensor, list[Tensor]]:
        """One batch, forward and back.

        Args:
            x: [K, B, C, H, W].
            targets: [K, B, …], for the loss.
            loss: Logits and targets → loss of each example [K, B], and the gradient by the logits.
        Returns:
            Logits [K, B, classes], losses [K, B], and a gradient for each of `parameters()`.
        """
        logits = self(x)
        losses, gradient = loss(logits, targets)
        gradients = torch.autograd.grad((logits,), list(self.parameters()), (gradient.to(logits.dtype),))
        return logits.detach(), losses, list(gradients)

    def descend(self, x: Tensor, targets: Tensor, loss: Loss, use: Use) -> tuple[Tensor, Tensor]:
        """One batch, forward and back, where `use` updates the parameters as soon as their gradients are known.

        Args:
            x, targets, loss: As for `gradients`.
            use: Gets every parameter of every network once, in order of networks, in one call or several, when this
                batch needs its old value no longer.
        Returns:
            Logits [K, B, classes] and losses [K, B].
        """
        logits, losses, gradients = self.gradients_in_pieces(x, targets, loss)
        use(range(len(gradients)), gradients, None)
        return logits, losses

    @property
    def in_pieces(self) -> bool:
        """Whether not all networks work together."""
        return self.together is not None and self.together < self.networks

    def gradients_in_pieces(self, x: Tensor, targets: Tensor, loss: Loss) -> tuple[Tensor, Tensor, list[Tensor]]:
        """As `gradients`, `together` networks after each other."""
        if not self.in_pieces:
            return self.gradients(x, targets, loss)
        parts = [self._call_part("gradients", part, x[part], targets[part], loss) for part in self._parts()]
        logits, losses, gradients = zip(*parts, strict=True)
        return torch.cat(logits), torch.cat(losses), [torch.cat(grads) for grads in zip(*gradients, strict=True)]

    def answers(self, x: Tensor) -> Tensor:
        """Logits [K, B, classes], `together` networks after each other."""
        if not self.in_pieces:
            logits: Tensor = self(x)
            return logits
        return torch.cat([self._call_part("forward", part, x[part]) for part in self._parts()])

    def pieces(self) -> Iterator[tuple[slice, Self]]:
        """Stacks of the next `together` networks each, which share memory with this one; itself where that is all."""
        if not self.in_pieces:
            yield slice(None), self
            return
        for part in self._parts():
            yield part, self.with_tensors({name: tensor[part] for name, tensor in self.tensors().items()})

    def _parts(self) -> Iterator[slice]:
        for start in range(0, self.networks, self.together or self.networks):
            yield slice(start, start + (self.together or self.networks))

    def _call_part(self, method: str, part: slice, *args: Any) -> Any:
        """A method of this stack as if it held these networks only; no module is copied."""
        parameters = {f"stack.{n}": p.detach()[part].requires_grad_() for n, p in self.named_parameters()}
        buffers = {f"stack.{n}": buffer[part] for n, buffer in self.named_buffers()}
        return functional_call(_Calling(self), parameters | buffers, (method, *args))

    @property
    def networks(self) -> int:
        """K."""
        return int(next(self.parameters()).shape[0])

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each group."""
        tensors = self.tensors()
        first = [group.incoming[0] for group in self.groups]
        return tuple(tensors[cut.tensor].shape[cut.axis] // cut.repeat for cut in first)

    @property
    def parameters_per_network(self) -> int:
        """Parameters of one network, biases and classifier included."""
        return sum(parameter[0].numel() for parameter in self.parameters())

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one network on one example, about: every weight once."""
        return self.parameters_per_network

    @property
    def largest_layer(self) -> int:
        """Outputs of the layer of one network that has most, for one example."""
        return max(self.widths)

    def tensors(self) -> dict[str, Tensor]:
        """All parameters and buffers by name, detached but not copied."""
        pairs = [*self.named_parameters(), *self.named_buffers()]
        return {name: tensor.detach() for name, tensor in pairs}

    def incoming_weights(self, group: UnitGroup) -> Tensor:
        """[K, units, weights a unit]: the weights that lead into each unit, of all layers that make it, detached."""
        tensors, parts = self.tensors(), []
        for cut in group.incoming:
            weights = tensors[cut.tensor].movedim(cut.axis, 1)
            parts.append(weights.reshape(self.networks, weights.shape[1] // cut.repeat, -1))
        return torch.cat(parts, dim=2)

    def with_tensors(self, tensors: Mapping[str, Tensor]) -> Self:
        """A stack of the same kind with these tensors (all of them, of any consistent sizes), not copied."""
        memo: dict[int, object] = {}
        for name, parameter in self.named_parameters():
            memo[id(parameter)] = nn.Parameter(tensors[name], requires_grad=parameter.requires_grad)
        for name, buffer in self.named_buffers():
            memo[id(buffer)] = tensors[name]
        return copy.deepcopy(self, memo)

    def select(self, networks: Sequence[int]) -> Self:
        """A stack of copies of these networks, in this order; one may appear several times."""
        index = to_device(list(networks), next(self.parameters()).device)
        return self.with_tensors({name: tensor.index_select(0, index) for name, tensor in self.tensors().items()})

    def write(self, networks: Sequence[int], stack: Self) -> None:
        """Copies network i of `stack` into network `networks[i]` of this one, in place."""
        index = to_device(list(networks), next(self.parameters()).device)
        sources = stack.tensors()
        for name, tensor in self.tensors().items():
            tensor.index_copy_(0, index, sources[name].to(tensor.device))

    def keep_units(self, indices: Sequence[Tensor]) -> Self:
        """A smaller stack, holding copies of only these units.

        Args:
            indices: For each group [K, kept] int64, the units each network keeps, in the order they shall have.
        Raises:
            ValueError: Not one [K, kept ≥ 1] index for each group.
        """
        groups, tensors = self.groups, self.tensors()
        if len(indices) != len(groups):
            raise ValueError(f"{len(groups)} groups ({', '.join(g.name for g in groups)}) need {len(groups)} indices")
        for group, index in zip(groups, indices, strict=True):
            if index.ndim != 2 or index.shape[0] != self.networks or index.shape[1] < 1:
                raise ValueError(f"{group.name}: indices must be [{self.networks}, kept ≥ 1], not {list(index.shape)}")
            for cut in group.cuts:
                tensors[cut.tensor] = _take(tensors[cut.tensor], cut, index)
        cut_tensors = {cut.tensor for group in groups for cut in group.cuts}
        return self.with_tensors({name: t if name in cut_tensors else t.clone() for name, t in tensors.items()})


class _Calling(nn.Module):
    """Calls a method of a stack while its parameters are others."""

    def __init__(self, stack: StackedModel) -> None:
        super().__init__()
        self.stack = stack

    def forward(self, method: str, *args: Any) -> Any:
        """What the method says."""
        return getattr(self.stack, method)(*args)


def _take(tensor: Tensor, cut: Cut, index: Tensor) -> Tensor:
    positions = (index[:, :, None] * cut.repeat + torch.arange(cut.repeat, device=index.device)).flatten(1)
    shape = [1] * tensor.ndim
    shape[0], shape[cut.axis] = positions.shape
    return torch.take_along_dim(tensor, positions.reshape(shape), dim=cut.axis)
