"""What has to be excluded for a comparison to hold, or not to hold."""

import numpy as np

from search_spaces.claims import AtLeast, AtMost, Comparison, Equivalent, Greater, Less
from study.answer.evidence import Array

Test = tuple[float, bool]
"""A null, and whether evidence against it points up."""


def tests_of(comparison: Comparison) -> tuple[list[Test], list[Test]]:
    """The nulls against "it is not so" (all of them must fall) and against "it is so" (one of them must)."""
    if isinstance(comparison, Greater):
        return [(comparison.than, True)], [(comparison.than + comparison.matters, False)]
    if isinstance(comparison, Less):
        return [(comparison.than, False)], [(comparison.than - comparison.matters, True)]
    if isinstance(comparison, AtLeast):
        return [(comparison.bound, True)], [(comparison.bound, False)]
    if isinstance(comparison, AtMost):
        return [(comparison.bound, False)], [(comparison.bound, True)]
    if isinstance(comparison, Equivalent):
        low, high = comparison.to - comparison.matters, comparison.to + comparison.matters
        return [(low, True), (high, False)], [(high, True), (low, False)]
    return [], []


def matters(comparison: Comparison, estimate: Array) -> Array:
    """Whether an estimate is as large as matters, beside its interval."""
    if isinstance(comparison, Greater):
        return np.asarray(estimate >= comparison.than + comparison.matters)
    if isinstance(comparison, Less):
        return np.asarray(estimate <= comparison.than - comparison.matters)
    return np.ones_like(estimate, dtype=bool)
