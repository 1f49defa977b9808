"""A factorial in an order of which every beginning is as balanced as it can be.

Small ones are searched for the best order (`blocks`), or taken greedily if that turns out better balanced; in large
ones each next point is the one that makes up most for what came too seldom, among candidates drawn for it.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from itertools import chain, combinations, count, islice

import numpy as np

from study.sampling.blocks import Levels, imbalance, position_in_block, search_order
from study.sampling.draws import derive

_SEARCHED = 144  # cells up to which an order is searched for
_CANDIDATES = 512
_WEIGHTS = {1: 4.0, 2: 1.0, 3: 0.05}


class BalancedFactorial:
    """An endless sequence of points of a full factorial; point n depends on sizes, seed and n alone.

    Each block of `sizes[0] * sizes[1]` points holds every combination of the first two factors, each `cells` points in
    a row from a multiple of `cells` on hold every combination of all of them.

    Args:
        sizes: Number of levels of each factor, the most important factors first.
        seed: Decides which level is which and, within what balance leaves open, the order.
    """

    def __init__(self, sizes: Sequence[int], seed: int) -> None:
        self.sizes, self._seed = tuple(sizes), seed
        self.cells = math.prod(self.sizes)
        self._coming = chain.from_iterable(map(self._cycle, count()))
        self._known: list[tuple[int, ...]] = []

    def point(self, index: int) -> tuple[int, ...]:
        """The level of each factor at point `index`."""
        self._known.extend(islice(self._coming, max(0, index + 1 - len(self._known))))
        return self._known[index]

    def _cycle(self, cycle: int) -> Iterator[tuple[int, ...]]:
        draws = np.random.default_rng(derive(self._seed, "factorial", cycle))
        names = [draws.permutation(size) for size in self.sizes]
        for levels in self._best_order if self.cells <= _SEARCHED else greedy(self.sizes, draws):
            yield tuple(int(name[level]) for name, level in zip(names, levels, strict=True))

    @cached_property
    def _best_order(self) -> Levels:
        """The best order found; cycles differ in which level is which, so the search is needed only once."""
        draws = np.random.default_rng(derive(self._seed, "factorial"))
        orders = search_order(self.sizes, draws), np.array([*greedy(self.sizes, draws)])
        return min(orders, key=partial(imbalance, self.sizes))


def greedy(sizes: tuple[int, ...], draws: np.random.Generator) -> Iterator[Levels]:
    """All cells once, in blocks; each next one makes margins, pairs and triples so far as even as it can."""
    tables = _Tables(sizes)
    rest = math.prod(sizes[2:])
    used = np.zeros((math.prod(sizes[:2]), rest), dtype=bool)
    second = (*sizes, 1, 1)[1]
    for index in range(math.prod(sizes)):
        lead = position_in_block(sizes, np.array([index]))[0]
        mine = used[lead[0] * second + lead[1]]
        free = np.flatnonzero(~mine)
        if len(free) > _CANDIDATES:
            free = draws.choice(free, _CANDIDATES, replace=False)
        below = np.stack(np.unravel_index(free, sizes[2:]), axis=1) if sizes[2:] else np.zeros((1, 0), dtype=np.int64)
        candidates = np.concatenate([np.tile(lead[: len(sizes)], (len(free), 1)), below], axis=1)
        cost = tables.cost(candidates)
        best = int(draws.choice(np.flatnonzero(cost <= cost.min() + 1e-9)))
        mine[free[best]] = True
        tables.add(candidates[best])
        yield candidates[best]


class _Tables:
    """Counts of all margins, pairs and triples of factors, side by side in one array."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        orders = (1, 2, 3) if len(sizes) <= 8 else (1, 2)
        tables = [factors for order in orders for factors in combinations(range(len(sizes)), order)]
        self._strides = np.zeros((len(sizes), len(tables)), dtype=np.int64)
        self._starts = np.zeros(len(tables), dtype=np.int64)
        self._weights = np.zeros(len(tables))
        length = 0
        for column, factors in enumerate(tables):
            self._starts[column], cells = length, 1
            for factor in reversed(factors):
                self._strides[factor, column], cells = cells, cells * sizes[factor]
            # times the cells: the increase of chi-squared, which makes tables of all sizes comparable
            self._weights[column] = _WEIGHTS[len(factors)] * cells * (2 if 0 in factors else 1)
            length += cells
        self._counts = np.zeros(length)

    def cost(self, points: Levels) -> Levels:
        """How often what each point [points, factors] would add has been there already, weighted."""
        weighed: Levels = self._counts[points @ self._strides + self._starts] @ self._weights
        return weighed

    def add(self, point: Levels) -> None:
        """Counts a point [factors]."""
        self._counts[point @ self._strides + self._starts] += 1
