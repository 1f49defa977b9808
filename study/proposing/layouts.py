"""Samplers that lay out their trials in advance: trial n depends on the space, the seed and n alone."""

import math
from typing import Protocol

import numpy as np

from search_spaces.space import CONDITIONS, Choices, Range, Scalar, SearchSpace
from study.errors import UsageError
from study.proposing.draws import derive
from study.proposing.factorial import BalancedFactorial
from study.proposing.points import Sobol, values

LARGEST_FACTORIAL = 100_000


class Layout(Protocol):
    """Where trial n lies."""

    def point(self, index: int) -> dict[str, Scalar]:
        """Spanned name → value."""


class Design:
    """Lists as a balanced factorial, conditions first; ranges as a scrambled Sobol sequence beside it.

    A factorial of more than 100,000 cells, of which no study will see a balanced part, is a Sobol sequence as a whole.
    What means something in some trials only is laid out in all, and left out where it does not: so the choice that it
    depends on stays balanced, it is balanced within that choice, and the trials of the other choices are repeated, with
    fresh seeds.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._span = space.span
        lists = {name: spanned.values for name, spanned in space.span.items() if isinstance(spanned, Choices)}
        if math.prod(map(len, lists.values())) > LARGEST_FACTORIAL:
            lists = {}
        self._lists = {name: lists[name] for name in sorted(lists, key=lambda name: name not in CONDITIONS)}
        self._rest = {name: spanned for name, spanned in space.span.items() if name not in lists}
        self._factorial = BalancedFactorial([len(choices) for choices in self._lists.values()], seed)
        self._sobol = Sobol(len(self._rest), derive(seed, "design")) if self._rest else None

    def point(self, index: int) -> dict[str, Scalar]:
        """Spanned name → value."""
        levels = self._factorial.point(index)
        listed = {name: lists[level] for (name, lists), level in zip(self._lists.items(), levels, strict=True)}
        ranged = values(self._rest, self._sobol.point(index)) if self._sobol else {}
        return {name: (listed | ranged)[name] for name in self._span}


class Grid:
    """Every combination of the lists once, the last one changing fastest.

    Combinations that differ only in what means nothing there are one.

    Raises:
        UsageError: A range is spanned, or (from `point`) there is no such cell.
    """

    def __init__(self, space: SearchSpace) -> None:
        ranges = [name for name, spanned in space.span.items() if isinstance(spanned, Range)]
        if ranges:
            raise UsageError(
                f"sampler=grid needs lists, but {ranges[0]} spans a range; "
                f"list the values, e.g. --set {ranges[0]}=A,B,C, or take sampler=design or qmc"
            )
        self._lists = {name: spanned.values for name, spanned in space.span.items() if isinstance(spanned, Choices)}
        self._sizes = tuple(map(len, self._lists.values()))
        everything = math.prod(self._sizes)
        self._different: list[int] | None = None
        if space.activation.conditional:
            if everything > LARGEST_FACTORIAL:
                raise UsageError(f"a grid of {everything} cells is too large to be listed; take sampler=qmc or random")
            first = {repr(space.active(self._cell(cell))): cell for cell in reversed(range(everything))}
            self._different = sorted(first.values())
        self.cells = everything if self._different is None else len(self._different)

    def point(self, index: int) -> dict[str, Scalar]:
        """Spanned name → value."""
        if index >= self.cells:
            raise UsageError(
                f"the grid has {self.cells} cells, so there is no trial beyond them; "
                f"take --trials {self.cells} or less, or sampler=design, which begins another cycle"
            )
        return self._cell(index if self._different is None else self._different[index])

    def _cell(self, cell: int) -> dict[str, Scalar]:
        levels = np.unravel_index(cell, self._sizes) if self._sizes else ()
        return {name: lists[int(level)] for (name, lists), level in zip(self._lists.items(), levels, strict=True)}


class Qmc:
    """A scrambled Sobol sequence over lists and ranges alike."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._span = space.span
        self._sobol = Sobol(len(space.span), derive(seed, "qmc")) if space.span else None

    def point(self, index: int) -> dict[str, Scalar]:
        """Spanned name → value."""
        return values(self._span, self._sobol.point(index)) if self._sobol else {}


class Random:
    """Independent uniform draws."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._span, self._seed = space.span, seed

    def point(self, index: int) -> dict[str, Scalar]:
        """Spanned name → value."""
        draws = np.random.default_rng(derive(self._seed, "random", index))
        return values(self._span, [float(u) for u in draws.random(len(self._span))])
