"""What a network consists of: steps that name the groups of units they make. Torch-free.

A model is written as a plan; its parameter count, its multiply-adds, its prunable groups, the stacked network and the
ordinary one all follow from it. Steps that name the same units as their outputs make coupled units: those are kept or
cut together (as a residual connection demands).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

# Units of these names are never cut.
IMAGE, CLASSES = "image", "classes"


@dataclass(frozen=True)
class Conv:
    """A square convolution into the channels `units`."""

    units: str
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    bias: bool = True


@dataclass(frozen=True)
class Linear:
    """An affine map of everything that comes in, flattened, to `units`."""

    units: str


@dataclass(frozen=True)
class BatchNorm:
    """Normalisation of each channel over the batch, with scale and shift."""


@dataclass(frozen=True)
class ReLU:
    """max(x, 0)."""


@dataclass(frozen=True)
class MaxPool:
    """The largest of each square window."""

    size: int = 2
    stride: int = 2
    padding: int = 0


@dataclass(frozen=True)
class AveragePool:
    """The mean of each square window, windows side by side; `size` 0 takes the whole image."""

    size: int = 0


@dataclass(frozen=True)
class Dropout:
    """While training each value is zeroed with probability `rate`, the others are divided by 1 − rate."""

    rate: float


@dataclass(frozen=True)
class Residual:
    """body(x) + shortcut(x); an empty shortcut is the identity."""

    body: Plan
    shortcut: Plan = ()


Step = Conv | Linear | BatchNorm | ReLU | MaxPool | AveragePool | Dropout | Residual
Plan = tuple[Step, ...]
Shape = tuple[int, ...]


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


@dataclass(frozen=True)
class Sized:
    """One step (never a `Residual` itself) with what goes in and comes out.

    Args:
        path: Where its module lies, e.g. `3.body.0`.
    """

    path: str
    step: Step
    before: Signal
    after: Signal

    @property
    def parameters(self) -> int:
        """Of one network, biases included."""
        inputs, outputs = self.before.channels, self.after.channels
        match self.step:
            case Conv(kernel=kernel, bias=bias):
                return inputs * outputs * kernel**2 + bias * outputs
            case Linear():
                return (inputs * self.before.pixels + 1) * outputs
            case BatchNorm():
                return 2 * outputs
        return 0

    @property
    def weights(self) -> int:
        """Of its matrix or kernel; 0 without one."""
        match self.step:
            case Conv(kernel=kernel):
                return self.before.channels * self.after.channels * kernel**2
            case Linear():
                return self.before.channels * self.before.pixels * self.after.channels
        return 0

    @property
    def multiply_adds(self) -> int:
        """Of one network on one example, without biases, activations and batch norm (which folds into what it follows).

        Padding counts: a convolution multiplies its zeros.
        """
        match self.step:
            case Conv(kernel=kernel):
                return self.before.channels * self.after.channels * kernel**2 * self.after.pixels
            case Linear():
                return self.before.channels * self.before.pixels * self.after.channels
        return 0


def units_of(plan: Plan) -> tuple[str, ...]:
    """Names of the prunable groups, in the order in which a forward pass first makes them."""
    names: dict[str, None] = {}
    for step in plan:
        match step:
            case Conv(units=units) | Linear(units=units):
                names[units] = None
            case Residual(body=body, shortcut=shortcut):
                names |= dict.fromkeys((*units_of(body), *units_of(shortcut)))
    return tuple(name for name in names if name != CLASSES)


def sizes_of(plan: Plan, widths: Shape, num_classes: int) -> dict[str, int]:
    """Name of each group (and the classes) → its units.

    Raises:
        ValueError: Not one width for each group.
    """
    names = units_of(plan)
    if len(names) != len(widths):
        raise ValueError(f"{len(names)} groups ({', '.join(names)}) need {len(names)} widths, not {len(widths)}")
    return {**dict(zip(names, widths, strict=True)), CLASSES: num_classes}


def trace(plan: Plan, sizes: Mapping[str, int], input_shape: Shape) -> list[Sized]:
    """The steps of the plan in the order in which they run, sized for these groups and images [C, H, W].

    Raises:
        ValueError: An image is too small for the plan, or the two ways through a residual step do not fit each other.
    """
    channels, height, width = input_shape
    try:
        return list(_traced(plan, sizes, Signal(IMAGE, channels, height, width), ""))
    except _TooSmall:
        raise ValueError(f"images of {height} × {width} pixels are too small for this network") from None


class _TooSmall(Exception):
    """Nothing of the image is left."""


def _traced(plan: Plan, sizes: Mapping[str, int], signal: Signal, path: str) -> Iterator[Sized]:
    for place, step in enumerate(plan):
        here = f"{path}{place}"
        if isinstance(step, Residual):
            body = list(_traced(step.body, sizes, signal, f"{here}.body."))
            shortcut = list(_traced(step.shortcut, sizes, signal, f"{here}.shortcut."))
            after, beside = body[-1].after, shortcut[-1].after if shortcut else signal
            if after != beside:
                raise ValueError(f"step {here}: the body makes {after}, the shortcut {beside}")
            yield from (*body, *shortcut)
        else:
            after = _after(step, sizes, signal)
            yield Sized(here, step, signal, after)
        signal = after


def _after(step: Step, sizes: Mapping[str, int], signal: Signal) -> Signal:
    match step:
        case Linear(units=units):
            return Signal(units, sizes[units], flat=True)
        case Conv(units=units, kernel=kernel, stride=stride, padding=padding):
            after = _windows(signal, kernel, stride, padding)
            return replace(after, units=units, channels=sizes[units])
        case MaxPool(size=size, stride=stride, padding=padding):
            return _windows(signal, size, stride, padding)
        case AveragePool(size=size):
            return _windows(signal, size, size, 0) if size else replace(signal, height=1, width=1)
    return signal


def _windows(signal: Signal, size: int, stride: int, padding: int) -> Signal:
    height, width = ((side + 2 * padding - size) // stride + 1 for side in (signal.height, signal.width))
    if min(height, width) < 1:
        raise _TooSmall
    return replace(signal, height=height, width=width)
