"""Whether a value belongs to what a study spans: explicit configurations may lie outside."""

import math

from optuna.distributions import BaseDistribution


def is_inside(distribution: BaseDistribution, value: object) -> bool:
    """Whether Optuna accepts `value` under `distribution`."""
    try:
        internal = distribution.to_internal_repr(value)
    except (ValueError, TypeError):
        return False
    return not math.isnan(internal) and bool(distribution._contains(internal))
