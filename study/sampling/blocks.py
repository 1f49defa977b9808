"""A factorial built from blocks, with a search for the best of its kind.

The first two factors form blocks that hold each of their combinations once. What the other factors do from block to
block is a plan of the same kind, one recursion down, and each position of a block shifts it cyclically by levels of its
own. So every combination of all factors comes exactly once, whatever the shifts are; they are searched for balance.
"""

import math
from itertools import combinations

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.int64]
Shifts = tuple[Levels, ...]
_CLIMBS, _STEPS = 4, 300


def search_order(sizes: tuple[int, ...], draws: np.random.Generator) -> Levels:
    """All cells [cells, factors] in the best order that a short search finds."""
    everything = np.arange(math.prod(sizes))
    best, score = _points(sizes, _random_shifts(sizes, draws), everything), math.inf
    for _ in range(_CLIMBS if len(sizes) > 2 else 1):
        shifts, reached = _climb(sizes, draws)
        if reached < score:
            best, score = _points(sizes, shifts, everything), reached
        if score == 0:
            break
    return best


def position_in_block(sizes: tuple[int, ...], index: Levels) -> Levels:
    """Levels [points, 2] of the first two factors: each block of their combinations holds all of them.

    Both factors change as often as they can, and blocks begin at different places, so that stopping within one favours
    no level.
    """
    first, second = (*sizes, 1, 1)[:2]
    block, turn = np.divmod(index, first * second)
    place = (turn + block) % (first * second)
    return np.stack([place % first, (place + place // math.lcm(first, second)) % second], axis=1)


def imbalance(sizes: tuple[int, ...], points: Levels) -> float:
    """How far level counts at the ends of blocks spread beyond what divisibility forces.

    Margins weigh more than pairs, pairs more than triples, what involves the first factor double; and places where
    perfect balance is possible weigh most, because a study is likely to end there.

    Args:
        sizes: Levels of each factor.
        points: [points, factors], whole blocks.
    """
    block = math.prod(sizes[:2])
    length = len(points) // block
    at, ends = np.repeat(np.arange(length), block), block * np.arange(1, length + 1)
    exact = ends % math.lcm(*(a * b for a, b in combinations(sizes, 2)), *sizes) == 0  # of all margins and pairs
    score = 0.0
    for order, weight in ((1, 100.0), (2, 10.0), (3, 0.1)):
        for factors in combinations(range(len(sizes)), order):
            shape = [sizes[factor] for factor in factors]
            cells = math.prod(shape)
            if cells <= ends[-1]:
                index = np.ravel_multi_index([points[:, factor] for factor in factors], shape)
                counts = np.bincount(at * cells + index, minlength=length * cells).reshape(length, cells).cumsum(axis=0)
                even = ends % cells == 0
                excess = (counts.max(axis=1) - counts.min(axis=1) - ~even).clip(0)
                matters = np.where(exact & (order < 3), 1000, np.where(even, 20, 1))
                score += weight * (2 if 0 in factors else 1) * float((excess * matters).sum())
    return score


def _climb(sizes: tuple[int, ...], draws: np.random.Generator) -> tuple[Shifts, float]:
    """Changes one shift after the other and keeps what does not make the balance worse."""
    everything = np.arange(math.prod(sizes))
    shifts = _random_shifts(sizes, draws)
    score = imbalance(sizes, _points(sizes, shifts, everything))
    for _ in range(_STEPS if shifts else 0):
        if score == 0:
            break
        other = tuple(table.copy() for table in shifts)
        table = other[draws.integers(len(other))]
        table[draws.integers(table.shape[0]), draws.integers(table.shape[1])] = draws.integers(1 << 30)
        reached = imbalance(sizes, _points(sizes, other, everything))
        if reached <= score:
            score, shifts = reached, other
    return shifts, score


def _random_shifts(sizes: tuple[int, ...], draws: np.random.Generator) -> Shifts:
    """For each recursion: [positions of a block, factors below it]."""
    shifts = []
    while len(sizes) > 2:
        block, sizes = math.prod(sizes[:2]), sizes[2:]
        shifts.append(draws.integers(1 << 30, size=(block, len(sizes))))
    return tuple(shifts)


def _points(sizes: tuple[int, ...], shifts: Shifts, index: Levels) -> Levels:
    ours = position_in_block(sizes, index)
    if len(sizes) <= 2:
        return ours[:, : len(sizes)]
    second = sizes[1]
    below = _points(sizes[2:], shifts[1:], index // (sizes[0] * second))
    shift = shifts[0][ours[:, 0] * second + ours[:, 1]]
    return np.concatenate([ours, (below + shift) % np.array(sizes[2:])], axis=1)
