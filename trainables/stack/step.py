"""What a step of a network's plan is: the units it makes, its sizes, its module, and where units lie in it. Torch-free.

A new kind of step is one file with one class; nothing else knows which kinds there are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

# Units of these names are never cut.
IMAGE, CLASSES = "image", "classes"


@dataclass(frozen=True)
class Signal:
    """What flows between two steps, for one example.

    Args:
        units: Name of the group its channels belong to.
        channels: How many.
        height, width: Of each channel.
        flat: Whether it is no image any more: an affine map made it.
    """

    units: str
    channels: int
    height: int = 1
    width: int = 1
    flat: bool = False

    @property
    def pixels(self) -> int:
        """Values of a channel."""
        return self.height * self.width

    def after_pooling(self, size: int, stride: int, padding: int) -> Signal:
        """After square windows have passed over it.

        Raises:
            TooSmall: Nothing of the image is left.
        """
        height, width = ((side + 2 * padding - size) // stride + 1 for side in (self.height, self.width))
        if min(height, width) < 1:
            raise TooSmall
        return replace(self, height=height, width=width)


class TooSmall(Exception):
    """An image is too small for a plan."""


@dataclass(frozen=True)
class UnitCut:
    """Where the units of a group lie in one tensor of a step's stacked module.

    Args:
        units: Name of the group.
        tensor: Of the module, e.g. `weight`.
        axis: Along which units lie; 0 is the axis of networks.
        incoming: Whether the weights there lead into the units: what criteria score.
        repeat: Consecutive indices a unit owns there.
    """

    units: str
    tensor: str
    axis: int
    incoming: bool = False
    repeat: int = 1


@dataclass(frozen=True)
class Start:
    """How weights start: N(0, scale² · deviation²) with the deviation of `init` (`layers.deviation`), biases at 0.

    Args:
        draws: One generator a network.
    """

    scale: float
    draws: Sequence[torch.Generator]
    init: str


class Step(ABC):
    """One step. Subclasses are frozen dataclasses of its settings; what they don't override is as for a ReLU."""

    @property
    def makes(self) -> tuple[str, ...]:
        """Names of the groups whose units it makes, in the order of a forward pass."""
        return ()

    @property
    def parts(self) -> tuple[Step, ...]:
        """The steps it consists of: itself, unless it is made of others."""
        return (self,)

    def after(self, before: Signal, sizes: Mapping[str, int]) -> Signal:
        """What comes out; `sizes` are the units of each group.

        Raises:
            TooSmall: Nothing of the image is left.
        """
        return before

    def parameters(self, before: Signal, after: Signal) -> int:
        """How many parameters one network has here, biases included."""
        return 0

    def weights(self, before: Signal, after: Signal) -> int:
        """How many weights its matrix or kernel has, in one network; 0 without one."""
        return 0

    def multiply_adds(self, before: Signal, after: Signal) -> int:
        """Multiply-adds of a network on an example, without biases, activations and what folds into the step before."""
        return 0

    def cuts(self, before: Signal, after: Signal) -> Iterator[UnitCut]:
        """Where units lie in the tensors of `module`."""
        yield from ()

    @abstractmethod
    def module(self, before: Signal, after: Signal, start: Start) -> nn.Module:
        """K of it as one module with `unstack(network)`, which gives an ordinary one."""

    def sized_parts(self, before: Signal, sizes: Mapping[str, int], path: str) -> Iterator[SizedStep]:
        """The step (or, of one made of others, these) with what goes in and comes out; `path` as of its module.

        Raises:
            ValueError: Its parts do not fit each other.
        """
        yield SizedStep(path, self, before, self.after(before, sizes))

    def build(self, at: Mapping[str, SizedStep], path: str, start: Start) -> nn.Module:
        """Its module at `path` of a network whose sized steps are `at`."""
        here = at[path]
        return self.module(here.before, here.after, start)


@dataclass(frozen=True)
class SizedStep:
    """One step (none that is made of others) with what goes in and comes out.

    Args:
        path: Where its module lies, e.g. `3.body.0`.
    """

    path: str
    step: Step
    before: Signal
    after: Signal

    @property
    def parameters(self) -> int:
        """How many parameters one network has here, biases included."""
        return self.step.parameters(self.before, self.after)

    @property
    def weights(self) -> int:
        """How many weights its matrix or kernel has; 0 without one."""
        return self.step.weights(self.before, self.after)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one network on one example."""
        return self.step.multiply_adds(self.before, self.after)

    def cuts(self) -> Iterator[UnitCut]:
        """Where units lie in its tensors."""
        return self.step.cuts(self.before, self.after)


Plan = tuple[Step, ...]


def sized_steps(plan: Plan, sizes: Mapping[str, int], signal: Signal, path: str = "") -> list[SizedStep]:
    """The steps of a plan in the order in which they run; modules lie below `path`."""
    steps: list[SizedStep] = []
    for place, step in enumerate(plan):
        steps += step.sized_parts(signal, sizes, f"{path}{place}")
        signal = step.after(signal, sizes)
    return steps
