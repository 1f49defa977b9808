"""How an estimate and its confidence sequence came about, for those who watch."""

import math
from collections.abc import Iterator

import numpy as np

from study.answer.samples import MeanSample, Sample, SlopeSample, UnpairedSample

Point = tuple[int, float, float | None, float | None]
"""Units, the estimate with them, and both ends of the sequence by then; None: unbounded."""
_EACH, _GROWTH = 32, 1.25


def course(sample: Sample, log_threshold: float) -> tuple[Point, ...]:
    """After each of the first 32 units, then ever more seldom, and after the last.

    What was excluded once stays excluded, so that the sequence never widens.
    """
    points: list[Point] = []
    low, high = -math.inf, math.inf
    for count in _looks(sample.n):
        first, second = _sequence(sample, count, log_threshold)
        low, high = max(low, first), min(high, second)
        estimate = float(sample.estimates[count - 1])
        if math.isfinite(estimate):
            points.append((count, estimate, low if math.isfinite(low) else None, high if math.isfinite(high) else None))
    return tuple(points)


def _looks(n: int) -> Iterator[int]:
    count = 1.0
    while count < n:
        yield int(count)
        count = count + 1 if count < _EACH else count * _GROWTH
    if n:
        yield n


def _sequence(sample: Sample, count: int, log_threshold: float) -> tuple[float, float]:
    if isinstance(sample, SlopeSample):
        found = sample.looks.get(count)
        return found.sequence(log_threshold) if found is not None else (-math.inf, math.inf)
    if isinstance(sample, UnpairedSample | MeanSample):
        return MeanSample(np.asarray(sample.values[:count]), sample.at[:count], sample.scale).sequence(log_threshold)
    return -math.inf, math.inf
