"""Conditions that met the same networks, held against the best of them in pairs."""

from collections.abc import Sequence

import pandas as pd

from trainables.statistics import mean_ci95

FEWEST = 3


def behind_the_best(values: Sequence[pd.Series | None]) -> list[tuple[float, float | None] | None]:
    """For each condition how much less than the best it has on the same units: mean and half width of the interval.

    None of the best itself, and where fewer than 3 units met both: then nothing was paired.

    Args:
        values: Of each condition, a number a unit, by the unit's name.
    """
    known = [found for found in values if found is not None and len(found)]
    if len(known) < 2:
        return [None] * len(values)
    best = max(known, key=lambda found: float(found.mean()))
    return [None if found is None or found is best else _distance_to_best(found, best) for found in values]


def _distance_to_best(found: pd.Series, best: pd.Series) -> tuple[float, float | None] | None:
    shared = found.index.intersection(best.index)
    if len(shared) < FEWEST:
        return None
    mean, half, _ = mean_ci95((best.loc[shared] - found.loc[shared]).tolist())
    return mean, half
