"""k-means of the points of K networks."""

from collections.abc import Sequence

import torch
from torch import Tensor

_ROUNDS, _STARTS = 100, 4


def cluster(points: Tensor, clusters: int, draws: Sequence[torch.Generator]) -> tuple[Tensor, Tensor]:
    """Lloyd's iteration from four k-means++ starts, of which the one with the smallest sum of squares is taken.

    Args:
        points: [K, n, d] float64.
        clusters: At most n.
        draws: One generator a network.
    Returns:
        Centres [K, clusters, d], and the nearest of each point [K, n].
    References:
        Arthur & Vassilvitskii 2007.
    """
    best: tuple[Tensor, Tensor, Tensor] | None = None
    for _ in range(_STARTS):
        centres = torch.stack([_spread(own, clusters, draw) for own, draw in zip(points, draws, strict=True)])
        for _ in range(_ROUNDS):
            moved = _means(points, _nearest(points, centres)[0], centres)
            if torch.equal(moved, centres):
                break
            centres = moved
        nearest, squares = _nearest(points, centres)
        if best is None:
            best = centres, nearest, squares
        else:
            better = squares < best[2]
            best = (
                torch.where(better[:, None, None], centres, best[0]),
                torch.where(better[:, None], nearest, best[1]),
                torch.where(better, squares, best[2]),
            )
    assert best is not None
    return best[0], best[1]


def _spread(points: Tensor, clusters: int, draws: torch.Generator) -> Tensor:
    """k-means++: each next centre is drawn by its squared distance to those before."""
    uniform = torch.rand(clusters, generator=draws, dtype=torch.float64).to(points.device)
    chosen = points[[min(len(points) - 1, int(uniform[0] * len(points)))]]
    for one in uniform[1:]:
        squares = torch.cdist(points, chosen).amin(1).square()
        place = torch.searchsorted(squares.cumsum(0), one * squares.sum())
        chosen = torch.cat([chosen, points[place.clamp(max=len(points) - 1)][None]])
    return chosen


def _nearest(points: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """[K, n] which centre, and [K] the sum of squared distances."""
    distances, nearest = torch.cdist(points, centres).min(2)
    return nearest, distances.square().sum(1)


def _means(points: Tensor, nearest: Tensor, centres: Tensor) -> Tensor:
    """The mean of each centre's points; a centre without points stays."""
    belongs = torch.nn.functional.one_hot(nearest, centres.shape[1]).to(points.dtype)
    counts = belongs.sum(1)[..., None]
    return torch.where(counts > 0, (belongs.mT @ points) / counts.clamp(min=1), centres)
