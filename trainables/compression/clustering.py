"""k-means in one dimension, for many rows of numbers at once."""

from dataclasses import dataclass

import torch
from torch import Tensor

_MOST_STEPS = 300
_BINS = 1024
_FEW, _FEW_BINS, _ROWS_AT_ONCE = 16, 256, 32
# Lloyd's steps afterwards make more of a split than its own gain.
_WORTH = 0.3


def cluster(values: Tensor, kept: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Centres of each row's kept numbers that Lloyd's algorithm finds, and which centre is nearest to each number.

    Rows are sorted once; a step then costs a look-up per centre. It starts from three sets of centres, and each row
    keeps the result of the smallest cost: evenly spaced ones (Deep Compression's choice), quantiles, and as many as
    the cube root of the density asks for (Panter & Dite 1951: optimal for many centres); for up to 16 centres also the
    optimum for 256 bins, by dynamic programming. Then, as long as that lowers the cost, clusters that are cheap to join
    are joined and those that are dear are split instead. A row's result does not depend on the other rows. A centre
    that nothing is nearest to stays where it is.

    Args:
        values: [R, n] float32.
        kept: [R, n] bool; a row of which nothing is kept gets centres at 0.
        count: Centres.
    Returns:
        [R, count] float32 ascending, [R, n] int32.
    """
    ranked = values.double().masked_fill(~kept, torch.inf).sort(dim=1).values
    amount = kept.sum(dim=1)
    ranked = torch.where(ranked.isinf(), 0.0, ranked)
    sums = torch.nn.functional.pad(ranked.cumsum(dim=1), (1, 0))
    squares = torch.nn.functional.pad(ranked.square().cumsum(dim=1), (1, 0))
    # What is not kept stands at the end, beyond every boundary.
    sorted_values = torch.where(
        torch.arange(values.shape[1], device=values.device) < amount[:, None], ranked, torch.inf
    )
    sorted_rows = _Rows(sorted_values, sums, squares, amount)
    first, *others = _starts(sorted_rows, ranked, count)
    best, cost = _lloyd(sorted_rows, first)
    for start in others:
        best, cost = _better((best, cost), _lloyd(sorted_rows, start))
    moved = max(1, count // 4)
    while moved:
        found, now = _better((best, cost), _lloyd(sorted_rows, _rearrange(sorted_rows, best, moved)))
        if bool((now < cost).any()):
            best, cost = found, now
        else:
            moved //= 2
    centres = best.float()
    return centres, nearest(values, centres)


@dataclass(frozen=True)
class _Rows:
    """Sorted rows with what is not kept at infinity, sums over their beginnings, and how many numbers each has."""

    values: Tensor
    sums: Tensor
    squares: Tensor
    amount: Tensor

    def sizes_and_sums(self, ends: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """How many numbers lie between two ends, their sum, the sum of their squares."""
        return ends.diff(dim=1), self.sums.gather(1, ends).diff(dim=1), self.squares.gather(1, ends).diff(dim=1)


def nearest(values: Tensor, centres: Tensor) -> Tensor:
    """[R, n] int32: the nearest of each row's ascending centres [R, count]; of two equally near the larger."""
    middles = (centres[:, 1:] + centres[:, :-1]) / 2
    return torch.searchsorted(middles.contiguous(), values.contiguous(), right=True).to(torch.int32)


def _better(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Row by row the centres of the smaller cost."""
    better = other[1] < one[1]
    return torch.where(better[:, None], other[0], one[0]), torch.where(better, other[1], one[1])


def _lloyd(rows: _Rows, centres: Tensor) -> tuple[Tensor, Tensor]:
    """Centres where nothing moves any more, and the sum of squared distances from them."""
    ends = _ends(rows, centres)
    for _ in range(_MOST_STEPS):
        size, total, _ = rows.sizes_and_sums(ends)
        centres = torch.where(size > 0, total / size.clamp_min(1), centres).sort(dim=1).values
        before, ends = ends, _ends(rows, centres)
        if torch.equal(ends, before):
            break
    size, total, square = rows.sizes_and_sums(ends)
    return centres, (square - 2 * centres * total + size * centres.square()).sum(dim=1)


def _ends(rows: _Rows, centres: Tensor) -> Tensor:
    """[R, count + 1]: where in its sorted row each cluster begins, and the end."""
    middles = ((centres[:, 1:] + centres[:, :-1]) / 2).contiguous()
    inner = torch.minimum(torch.searchsorted(rows.values, middles), rows.amount[:, None])
    return torch.cat([torch.zeros_like(rows.amount)[:, None], inner, rows.amount[:, None]], dim=1)


def _rearrange(rows: _Rows, centres: Tensor, moved: int) -> Tensor:
    """The centres with at most so many pairs of neighbours joined, and as many clusters split at their means.

    The cheapest pairs against the dearest clusters, as long as a split may gain more than the join costs.
    """
    ends = _ends(rows, centres)
    size, total, _ = rows.sizes_and_sums(ends)
    cost = size[:, 1:] * size[:, :-1] / (size[:, 1:] + size[:, :-1]).clamp_min(1) * centres.diff(dim=1).square()
    around = torch.nn.functional.pad(cost, (1, 1), value=torch.inf)
    # Pairs that are cheaper than both their neighbours share no cluster.
    cost = torch.where((cost < around[:, :-2]) & (cost <= around[:, 2:]), cost, torch.inf)
    cost, pairs = cost.sort(dim=1)
    cost, pairs = cost[:, :moved], pairs[:, :moved]
    middle = torch.searchsorted(rows.values, centres.contiguous()).clamp(ends[:, :-1], ends[:, 1:])
    left, below = middle - ends[:, :-1], rows.sums.gather(1, middle) - rows.sums.gather(1, ends[:, :-1])
    right, above = size - left, total - below
    lower, upper = below / left.clamp_min(1), above / right.clamp_min(1)
    gain = torch.where((left > 0) & (right > 0), left * right / size.clamp_min(1) * (upper - lower).square(), 0.0)
    joined = cost.isfinite()
    for place in (pairs, pairs + 1):
        gain = gain.scatter(1, place, torch.where(joined, 0.0, gain.gather(1, place)))
    gain, splits = gain.sort(dim=1, descending=True)
    gain, splits = gain[:, :moved], splits[:, :moved]
    swap = (gain > _WORTH * cost) & joined
    mean = total.gather(1, pairs) + total.gather(1, pairs + 1)
    mean = mean / (size.gather(1, pairs) + size.gather(1, pairs + 1)).clamp_min(1)
    made = centres.clone()
    for place, value in ((pairs, mean), (pairs + 1, upper.gather(1, splits)), (splits, lower.gather(1, splits))):
        # One after another, as places that do not swap may stand twice.
        for column in range(place.shape[1]):
            at, wanted = place[:, column : column + 1], swap[:, column : column + 1]
            now = torch.where(wanted, value[:, column : column + 1], made.gather(1, at))
            made = made.scatter(1, at, now)
    return made.sort(dim=1).values


def _starts(rows: _Rows, ranked: Tensor, count: int) -> list[Tensor]:
    amount = rows.amount
    share = (torch.arange(count, device=ranked.device, dtype=torch.float64) + 0.5) / count
    last = (amount - 1).clamp_min(0)[:, None]
    low, high = ranked[:, :1], ranked.gather(1, last)
    even = low + (high - low) * share
    if count > 1:
        even = low + (high - low) * torch.linspace(0, 1, count, device=ranked.device, dtype=torch.float64)
    quantiles = ranked.gather(1, (share * amount[:, None]).long().clamp_max(last))
    edges = torch.linspace(0, 1, _BINS + 1, device=ranked.device, dtype=torch.float64)
    points = ranked.gather(1, (edges * last).round().long())
    mass = torch.nn.functional.pad(points.diff(dim=1).clamp_min(1e-300).pow(2 / 3).cumsum(dim=1), (1, 0))
    mass = mass / mass[:, -1:]
    starts = [even, quantiles, _invert_mass(points, mass, share.expand(len(ranked), -1))]
    if count <= _FEW:
        edges = torch.linspace(0, 1, _FEW_BINS + 1, device=ranked.device, dtype=torch.float64)[1:-1]
        starts.append(_best_of_bins(rows, _invert_mass(points, mass, edges.expand(len(ranked), -1)), count))
    return starts


def _invert_mass(points: Tensor, mass: Tensor, wanted: Tensor) -> Tensor:
    """Where the ascending mass, given at points and straight between them, is as wanted; [R, …] each."""
    after = torch.searchsorted(mass.contiguous(), wanted.contiguous()).clamp(1, _BINS)
    left, right = mass.gather(1, after - 1), mass.gather(1, after)
    share = (wanted - left) / (right - left).clamp_min(1e-300)
    begin = points.gather(1, after - 1)
    return begin + share.clamp(0, 1) * (points.gather(1, after) - begin)


def _best_of_bins(rows: _Rows, edges: Tensor, count: int) -> Tensor:
    """[R, count]: the centres of smallest cost if the numbers between two edges have to stay together.

    Args:
        edges: [R, bins − 1] ascending.
    """
    parts = []
    for start in range(0, len(edges), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        amount = rows.amount[some, None]
        inner = torch.minimum(torch.searchsorted(rows.values[some], edges[some].contiguous()), amount)
        ends = torch.cat([torch.zeros_like(amount), inner, amount], dim=1)
        sums, squares = rows.sums[some].gather(1, ends), rows.squares[some].gather(1, ends)
        size, total, square = (values[:, None] - values[:, :, None] for values in (ends, sums, squares))
        # cost[r, i, j]: of one cluster from end i to end j.
        cost = (square - total.square() / size.clamp_min(1)).masked_fill(size < 0, torch.inf)
        best, choices = cost[:, 0], []
        for _ in range(count - 1):
            best, choice = (best[:, :, None] + cost).min(dim=1)
            choices.append(choice)
        place = torch.full_like(amount, edges.shape[1] + 1)
        bounds = [place]
        for choice in reversed(choices):
            place = choice.gather(1, place)
            bounds.append(place)
        cuts = torch.cat([torch.zeros_like(place), *reversed(bounds)], dim=1)
        at = ends.gather(1, cuts)
        means = sums.gather(1, cuts).diff(dim=1) / at.diff(dim=1).clamp_min(1)
        parts.append(means.sort(dim=1).values)
    return torch.cat(parts)
