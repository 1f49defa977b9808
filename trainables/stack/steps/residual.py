"""Residual connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainables.stack.step import Plan, Signal, SizedStep, Start, Step, sized_steps

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Residual(Step):
    """body(x) + shortcut(x); an empty shortcut is the identity."""

    body: Plan
    shortcut: Plan = ()

    @property
    def makes(self) -> tuple[str, ...]:
        """What both ways make."""
        return tuple(name for step in (*self.body, *self.shortcut) for name in step.makes)

    @property
    def parts(self) -> tuple[Step, ...]:
        """The steps of both ways."""
        return tuple(part for step in (*self.body, *self.shortcut) for part in step.parts)

    def after(self, before: Signal, sizes: Mapping[str, int]) -> Signal:
        """What the body makes."""
        for step in self.body:
            before = step.after(before, sizes)
        return before

    def sized_parts(self, before: Signal, sizes: Mapping[str, int], path: str) -> Iterator[SizedStep]:
        """The steps of the body, then those of the shortcut."""
        body = sized_steps(self.body, sizes, before, f"{path}.body.")
        shortcut = sized_steps(self.shortcut, sizes, before, f"{path}.shortcut.")
        after, beside = body[-1].after, shortcut[-1].after if shortcut else before
        if after != beside:
            raise ValueError(f"step {path}: the body makes {after}, the shortcut {beside}")
        yield from (*body, *shortcut)

    def build(self, at: Mapping[str, SizedStep], path: str, start: Start) -> nn.Module:
        """Both ways and their sum."""
        from trainables.stack.spatial import Residual as ResidualBlock
        from trainables.stack.spatial import build_steps

        ways = (
            build_steps(self.body, at, f"{path}.body.", start),
            build_steps(self.shortcut, at, f"{path}.shortcut.", start),
        )
        return ResidualBlock(*ways)

    def module(self, before: Signal, after: Signal, start: Start) -> nn.Module:
        """Made by `build`, which knows where its parts lie."""
        raise TypeError("a residual step is built from its parts")
