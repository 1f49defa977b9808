"""Every combination of the lists once."""

import math

import numpy as np

from search_spaces.space import Choices, Range, Scalar, SearchSpace
from study.errors import UsageError
from study.sampling.interfaces import LayoutSampler

LARGEST_LISTED = 100_000


class Cells:
    """Every combination of the lists once, the last one changing fastest.

    Combinations that differ only in what means nothing there are one.

    Attributes:
        count: How many.

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
            if everything > LARGEST_LISTED:
                raise UsageError(f"a grid of {everything} cells is too large to be listed; take sampler=qmc or random")
            first = {repr(space.active(self._cell(cell))): cell for cell in reversed(range(everything))}
            self._different = sorted(first.values())
        self.count = everything if self._different is None else len(self._different)

    def point(self, index: int) -> dict[str, Scalar]:
        """Spanned name → value."""
        if index >= self.count:
            raise UsageError(
                f"the grid has {self.count} cells, so there is no trial beyond them; "
                f"take --trials {self.count} or less, or sampler=design, which begins another cycle"
            )
        return self._cell(index if self._different is None else self._different[index])

    def _cell(self, cell: int) -> dict[str, Scalar]:
        levels = np.unravel_index(cell, self._sizes) if self._sizes else ()
        return {name: lists[int(level)] for (name, lists), level in zip(self._lists.items(), levels, strict=True)}


class Grid(LayoutSampler):
    """Every combination of lists once; ends there."""

    name = "grid"

    def size(self, space: SearchSpace) -> int:
        """Its cells."""
        return Cells(space).count

    def layout(self, space: SearchSpace, seed: int) -> Cells:
        """Its seed says nothing."""
        return Cells(space)


ENTRY = Grid
