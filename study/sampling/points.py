"""From numbers between 0 and 1 to values of a search space."""

import math
from collections.abc import Mapping

import numpy as np

from search_spaces.space import Choices, Range, Scalar


class Sobol:
    """A scrambled Sobol sequence; point n depends on dimensions, seed and n alone.

    Points are made in blocks of powers of two, the sizes at which the sequence is balanced.
    """

    def __init__(self, dimensions: int, seed: int) -> None:
        from scipy.stats import qmc  # takes a second to import

        self._engine = qmc.Sobol(dimensions, rng=np.random.default_rng(seed))
        self._known = np.zeros((0, dimensions))

    def point(self, index: int) -> list[float]:
        """Point `index`, each coordinate in [0, 1)."""
        while index >= len(self._known):
            block = max(64, len(self._known))
            self._known = np.concatenate([self._known, self._engine.random(block)])
        return [float(x) for x in self._known[index]]


def values(span: Mapping[str, Choices | Range], unit: list[float]) -> dict[str, Scalar]:
    """The point of `span` at the coordinates `unit` of the unit cube, in the order of `span`."""
    return {name: value(spanned, u) for (name, spanned), u in zip(span.items(), unit, strict=True)}


def value(spanned: Choices | Range, unit: float) -> Scalar:
    """The value at `unit` in [0, 1): every choice, every integer and every part of a range gets its share."""
    if isinstance(spanned, Choices):
        return spanned.values[min(int(unit * len(spanned.values)), len(spanned.values) - 1)]
    low, high = spanned.low, spanned.high
    if isinstance(low, int) and isinstance(high, int):
        # half a unit beyond both ends, so that the ends get as much room as the integers between them
        return min(max(round(_interpolate(low - 0.5, high + 0.5, spanned.log, unit)), low), high)
    return min(max(_interpolate(low, high, spanned.log, unit), float(low)), float(high))


def _interpolate(low: float, high: float, log: bool, unit: float) -> float:
    if log:
        return math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
    return low + unit * (high - low)
