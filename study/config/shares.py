"""Shares of CPUs and GPUs as Ray counts them: in ten thousandths, what is left of one cut off."""

_UNITS = 10_000
LEAST_SHARE = 1 / _UNITS


def how_many_fit(there: float, each: float) -> int:
    """How often `each` goes into what is there of a resource."""
    return int(there * _UNITS) // max(1, int(each * _UNITS))
