"""How the weights of K networks are written down: which numbers are stored, and what weights follow from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from trainables.looking.places import weight_names
from trainables.moving import to_device
from trainables.stack.model import StackedModel

Expand = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]


class DrawSource(Protocol):
    """Where draws of a trial come from; a `Workspace` is one."""

    @property
    def init_scale(self) -> float:
        """Factor on the deviation of initial weights."""

    def draws(self, *names: str | int) -> torch.Generator:
        """The generator of a draw."""

    def draws_for_networks(self, *names: str | int) -> Callable[[int], torch.Generator]:
        """Network → generator."""

    def fresh(self, widths: tuple[int, ...], *names: str | int) -> StackedModel:
        """Fresh networks of these widths, drawn under `names`."""


class Maker(Protocol):
    """What makes weights from numbers, network by network.

    Attributes:
        shapes: Layer → shape of its tensor, without the axis of networks.
    """

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """See above."""

    @property
    def fixed_numbers(self) -> dict[str, Tensor]:
        """Name → [K, …]: numbers of each network that are not trained, and follow from a seed."""

    def start(self, draws: list[torch.Generator], /) -> dict[str, Tensor]:
        """Name → [K, …]: the numbers with which training starts, one generator a network."""

    def weights(self, numbers: Mapping[str, Tensor], /) -> dict[str, Tensor]:
        """Layer → [K, …] from the trained and the fixed numbers; differentiable."""


class Expansion(BaseModel, ABC):
    """How weights follow from the numbers of a description, in JSON types: what a decoder knows beside the message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def expander(self, source: DrawSource, shape: StackedModel, start: Mapping[str, Tensor]) -> Expand:
        """The function itself.

        Args:
            source: Where what it draws again is drawn.
            shape: Networks of the described shape; their weights mean nothing.
            start: Name → weights of the same units before training, [K, …]; {} where they do not take part.
        """


class Stored(Expansion):
    """Weights are stored as they are."""

    kind: Literal["stored"] = "stored"

    def expander(self, source: DrawSource, shape: StackedModel, start: Mapping[str, Tensor]) -> Expand:
        """The identity."""
        return dict


@dataclass(frozen=True)
class Book:
    """A code book: which few values the numbers of a part take.

    Args:
        symbols: [K, …] int32, shaped as the part: which value each number takes.
        count: How many values there are.
        numbers: [K, groups, m] float32, what the values are made of. `signs`: [m] → −m, m. `grid`: [s] or [s, z] →
            s · (lowest + symbol − z). `list`: the values themselves.
        kind: As above.
        lowest: Of a grid.
        axis: Of the part along which groups lie; None: one group.
    """

    symbols: Tensor
    count: int
    numbers: Tensor
    kind: Literal["signs", "grid", "list"]
    lowest: int = 0
    axis: int | None = None

    def values(self) -> Tensor:
        """[K, groups, count]."""
        if self.kind == "list":
            return self.numbers
        if self.kind == "signs":
            return torch.cat([-self.numbers, self.numbers], dim=2)
        steps = torch.arange(self.count, device=self.numbers.device, dtype=torch.float32) + self.lowest
        zero = self.numbers[:, :, 1:] if self.numbers.shape[2] > 1 else 0.0
        made: Tensor = (steps - zero) * self.numbers[:, :, :1]
        return made

    def to(self, device: torch.device) -> Book:
        """The same book there."""
        return replace(self, symbols=to_device(self.symbols, device), numbers=to_device(self.numbers, device))

    def look_up(self) -> Tensor:
        """[K, …] float32: the numbers of the part."""
        symbols = self.symbols if self.axis is None else self.symbols.movedim(self.axis, 1)
        rows = symbols.reshape(len(symbols), self.numbers.shape[1], -1).long()
        found = self.values().gather(2, rows).view(symbols.shape)
        return found if self.axis is None else found.movedim(1, self.axis).contiguous()


@dataclass(frozen=True)
class Part:
    """Some numbers that are stored: a matrix, a factor of one, coefficients …

    Args:
        values: [K, …] float32.
        kept_mask: Bool of that shape, True where a number is stored, the others are 0; None: all are.
        book: None: each number is stored as it is.
        channels: Axis along which output channels lie, if the part has them.
    """

    values: Tensor
    kept_mask: Tensor | None = None
    book: Book | None = None
    channels: int | None = None

    def with_book(self, book: Book) -> Part:
        """The same part with numbers from the book."""
        values = book.look_up()
        return replace(self, values=values if self.kept_mask is None else values * self.kept_mask, book=book)

    def counts(self) -> list[int]:
        """Numbers stored of each network."""
        if self.kept_mask is None:
            return [self.values[0].numel()] * len(self.values)
        counts: list[int] = self.kept_mask.flatten(1).sum(dim=1).tolist()
        return counts


@dataclass(frozen=True)
class Encoding:
    """Parts, and how weights follow from them.

    Args:
        parts: Name → part.
        expand: Name → values of each part, to name → weights of a stack; what it does not name is stored as it is.
        expansion: The same in words of JSON, from which it is made again.
        seed_bits: What it takes besides: the seeds of numbers that are drawn again.
    """

    parts: dict[str, Part]
    expand: Expand = dict
    expansion: Expansion = field(default_factory=Stored)
    seed_bits: int = 0
    _names: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    def weights(self) -> dict[str, Tensor]:
        """Name → weights; made anew at each call, which may be a search of many steps."""
        made = self.expand({name: part.values for name, part in self.parts.items()})
        self._names.update(made)
        return made

    def weight_names(self) -> set[str]:
        """Names of these weights, which are made for it only if they never were."""
        return self._names or set(self.weights())

    def counts(self) -> list[int]:
        """Numbers stored of each network, in all parts."""
        return [sum(counts) for counts in zip(*(part.counts() for part in self.parts.values()), strict=True)]


def as_it_is(stack: StackedModel, masks: Mapping[str, Tensor] | None = None) -> Encoding:
    """Every matrix and kernel a part of its own, stored where its mask keeps it."""
    tensors = stack.tensors()
    parts = {
        name: Part(tensors[name], None if masks is None else masks.get(name), channels=output_axis(tensors[name]))
        for name in weight_names(stack)
    }
    return Encoding(parts)


def output_axis(weights: Tensor) -> int:
    """Axis of the output units: [K, inputs, outputs] of an affine map, [K, outputs, inputs, …] of a convolution."""
    return 2 if weights.ndim == 3 else 1
