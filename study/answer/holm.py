"""Several claims at once: which are decided, in what order, at which look."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from study.answer.evidence import Array


@dataclass(frozen=True)
class Decision:
    """A claim that was decided: whether it was supported (or refuted), and at which look."""

    is_supported: bool
    look: int


def holm(support: Array, refute: Array, alpha: float) -> list[Decision | None]:
    """Decides claims by falling evidence while it reaches log(left/α); a decided claim stays decided.

    Each claim has two nulls, that it is not so and that it is, of which at most one is true: the larger evidence
    counts. It is log e, which never falls from look to look, or −log p at one look.

    Args:
        support, refute: [looks, claims], −∞ where there is none.
    Returns:
        For each claim its decision; None while it is open.
    References:
        Holm 1979; for e-values Vovk & Wang 2021, doi:10.1214/20-AOS2020.
    """
    looks, claims = support.shape
    decisions: list[Decision | None] = [None] * claims
    strongest = np.maximum(support, refute)
    start = 0
    while looks and (open_claims := [claim for claim in range(claims) if decisions[claim] is None]):
        threshold = math.log(len(open_claims) / alpha)
        passes = strongest[start:, open_claims].max(axis=1) >= threshold - 1e-12
        if not passes.any():
            break
        start += int(np.argmax(passes))
        claim = open_claims[int(np.argmax(strongest[start, open_claims]))]
        decisions[claim] = Decision(bool(support[start, claim] >= refute[start, claim]), start)
    return decisions


def on_looks(path: Array, at: Sequence[int], looks: Sequence[int]) -> Array:
    """The largest so far of a path, at each look: [looks].

    Args:
        path: [n], one value after each unit.
        at: [n], ascending: the trial with which each unit was there.
        looks: Ascending trial numbers.
    """
    largest = np.concatenate([[-math.inf], np.maximum.accumulate(path)]) if len(path) else np.array([-math.inf])
    at_looks: Array = largest[np.searchsorted(np.asarray(at), np.asarray(looks), side="right")]
    return at_looks
