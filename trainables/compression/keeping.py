"""Which units stay, given their scores."""

from typing import Literal

from torch import Tensor


def units_to_keep(scores: Tensor, kept: int, direction: Literal["lowest", "highest"]) -> Tensor:
    """Exactly `kept` units of each network, in their order.

    Args:
        scores: [K, units].
        kept: 1 … units.
        direction: Which scores go first. Of equal scores the unit with the smaller index goes first.
    Returns:
        [K, kept] int64, ascending.
    Raises:
        ValueError: `kept` is out of range, or a score is not finite.
    """
    units = scores.shape[1]
    if not 1 <= kept <= units:
        raise ValueError(f"cannot keep {kept} of {units} units")
    if not scores.isfinite().all():
        raise ValueError("scores must be finite")
    order = scores.argsort(dim=1, descending=direction == "highest", stable=True)
    return order[:, units - kept :].sort(dim=1).values
