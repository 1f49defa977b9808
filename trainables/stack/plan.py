"""What a network consists of: steps that name the groups of units they make. Torch-free.

A model is written as a plan; its parameter count, its multiply-adds, its prunable groups, the stacked network and the
ordinary one all follow from it. Steps that name the same units as their outputs make coupled units: those are kept or
cut together (as a residual connection demands).
"""

from __future__ import annotations

from collections.abc import Mapping

from trainables.stack.step import CLASSES, IMAGE, Plan, Signal, SizedStep, TooSmall, sized_steps

Shape = tuple[int, ...]


def units_of(plan: Plan) -> tuple[str, ...]:
    """Names of the prunable groups, in the order in which a forward pass first makes them."""
    names = dict.fromkeys(name for step in plan for name in step.makes)
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


def trace(plan: Plan, sizes: Mapping[str, int], input_shape: Shape) -> list[SizedStep]:
    """The steps of the plan in the order in which they run, sized for these groups and images [C, H, W].

    Raises:
        ValueError: An image is too small for the plan, or the two ways through a residual step do not fit each other.
    """
    channels, height, width = input_shape
    try:
        return sized_steps(plan, sizes, Signal(IMAGE, channels, height, width))
    except TooSmall:
        raise ValueError(f"images of {height} × {width} pixels are too small for this network") from None
