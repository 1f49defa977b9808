"""Every dense network meets every instrument: combinations of how networks are compressed, inside a dense cell.

What shapes the dense networks is laid out by the study's sampler as if there were nothing else; each of its points is
a dense cell, and a block of trials that share their dense networks. So instruments are compared on the same networks.
"""

import itertools
from collections.abc import Iterator

from search_spaces.space import Scalar, SearchSpace
from study.sampling.interfaces import Layout


class CrossedLayout:
    """A layout of blocks: point n depends on space, seed and n alone.

    Args:
        space: Of the study; says what is crossed.
        cells: The layout of the dense cells, see `without_crossed`.
    """

    def __init__(self, space: SearchSpace, cells: Layout) -> None:
        self._space, self._cells = space, cells
        self._begun = 0
        self._known: list[tuple[int, dict[str, Scalar]]] = []

    def point(self, index: int) -> dict[str, Scalar]:
        """Spanned name → value."""
        return self._point_at(index)[1]

    def cell(self, index: int) -> int:
        """The number of the dense cell to which the point belongs."""
        return self._point_at(index)[0]

    def _point_at(self, index: int) -> tuple[int, dict[str, Scalar]]:
        while index >= len(self._known):
            shared = self._cells.point(self._begun)
            self._known += [(self._begun, point) for point in self._block(shared)]
            self._begun += 1
        return self._known[index]

    def _block(self, shared: dict[str, Scalar]) -> Iterator[dict[str, Scalar]]:
        """All combinations; those that differ only in what means nothing there would be one trial run twice."""
        instruments, different = self._space.instruments, set()
        for values in itertools.product(*(spanned.values for spanned in instruments.values())):
            whole = shared | dict(zip(instruments, values, strict=True))
            point = {name: whole[name] for name in self._space.span}
            if (said := repr(self._space.active(point))) not in different:
                different.add(said)
                yield point


def without_crossed(space: SearchSpace) -> SearchSpace:
    """The space of the dense cells: what is spanned and not crossed inside them."""
    crossed = space.instruments
    span = {
        name: spanned.model_copy(update={"when": {k: v for k, v in spanned.when.items() if k not in crossed}})
        for name, spanned in space.span.items()
        if name not in crossed
    }
    return space.model_copy(update={"span": span})
