"""Spectra of weight matrices: Marchenko–Pastur bulk and spikes, power-law tails.

All eigenvalues are those of WᵀW/N of a matrix W with N × M entries, N ≥ M, ascending, float64.

References:
    Martin & Mahoney 2021, arXiv:1810.01075; Johnstone 2001 (largest eigenvalue); Clauset et al. 2009, arXiv:0706.1062.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.looking.weights import squared_singular_values

# Quantile 95 % of the Tracy–Widom distribution of real matrices.
_TRACY_WIDOM_95 = 0.98
_ROUNDS = 50
LEAST_FITTED = 50
_CANDIDATES = 64
LARGEST_ALPHA = 8.0


@dataclass(frozen=True)
class Bulk:
    """The Marchenko–Pastur law that fits what is no spike.

    Args:
        variance: [K], σ² of the entries of W.
        edge: [K], σ²(1 + √(M/N))².
        threshold: [K], the 95 % quantile of the largest eigenvalue of a Gaussian matrix: what is above is a spike.
        spikes: [K], how many are.
        beyond: [K], how many are above the edge.
        distance: [K], Kolmogorov–Smirnov distance of the rest from that law.
    """

    variance: Tensor
    edge: Tensor
    threshold: Tensor
    spikes: Tensor
    beyond: Tensor
    distance: Tensor


@dataclass(frozen=True)
class Tail:
    """A power law p(λ) ∝ λ^(−α), λ ≥ x_min, fitted to the largest eigenvalues; nan where there is no fit.

    Args:
        alpha: [K], by maximum likelihood.
        least: [K], x_min: the eigenvalue that makes the distance smallest.
        distance: [K], max |F(λᵢ) − i/n| over the n eigenvalues of the tail, i from 0.
    """

    alpha: Tensor
    least: Tensor
    distance: Tensor


def eigenvalues(weights: Tensor) -> Tensor:
    """[K, M] of matrices [K, rows, columns], never negative."""
    return squared_singular_values(weights) / max(weights.shape[1:])


def edges(rows: int, columns: int, variance: float = 1.0) -> tuple[float, float]:
    """Where the Marchenko–Pastur law begins and ends: σ²(1 ∓ √(M/N))²."""
    ratio = math.sqrt(min(rows, columns) / max(rows, columns))
    return variance * (1 - ratio) ** 2, variance * (1 + ratio) ** 2


def bulk(values: Tensor, longer: int) -> Bulk:
    """The bulk of spectra [K, M] of matrices whose longer side is N.

    σ² is the mean of what is no spike, and what is a spike depends on σ²: both are settled in turn. Spikes are those
    above centre + .98 scales of the largest eigenvalue of a Gaussian matrix, centre (√(N−1) + √M)², scale
    (√(N−1) + √M)(1/√(N−1) + 1/√M)^⅓ (Johnstone 2001), over N. The bare edge would find one in .15 to .30 of Gaussian
    matrices.
    """
    shorter = values.shape[1]
    roots = math.sqrt(longer - 1) + math.sqrt(shorter)
    scale = roots * (1 / math.sqrt(max(1, longer - 1)) + 1 / math.sqrt(shorter)) ** (1 / 3)
    factor = (roots**2 + _TRACY_WIDOM_95 * scale) / longer
    variance = values.mean(1)
    inside = torch.ones_like(values, dtype=torch.bool)
    for _ in range(_ROUNDS):
        inside = values <= (variance * factor)[:, None]
        settled = (values * inside).sum(1) / inside.sum(1).clamp(min=1)
        if torch.equal(settled, variance):
            break
        variance = settled
    inside = values <= (variance * factor)[:, None]
    edge = variance * edges(longer, shorter)[1]
    outside = (~inside).sum(1)
    return Bulk(
        variance,
        edge,
        variance * factor,
        outside,
        (values > edge[:, None]).sum(1),
        _distance(values, variance, inside, longer),
    )


def marchenko_pastur(x: Tensor, ratio: float) -> Tensor:
    """Distribution function of the Marchenko–Pastur law of variance 1 at `x`, ratio = M/N ≤ 1.

    Closed form; with r = √((b − x)/(x − a)): F = ½ + (√((b − x)(x − a)) − (1 + q)·arctan((r² − 1)/2r) +
    (1 − q)·arctan((a r² − b)/(2(1 − q)r)))/(2πq), q the ratio, a and b the edges.
    """
    low, high = (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2
    inside = x.clamp(low, high)
    above, under = (high - inside).clamp(min=1e-300), (inside - low).clamp(min=1e-300)
    r = (above / under).sqrt()
    value = (above * under).sqrt() - (1 + ratio) * torch.atan((r.square() - 1) / (2 * r))
    if ratio < 1:
        value = value + (1 - ratio) * torch.atan((low * r.square() - high) / (2 * (1 - ratio) * r))
    inner = 0.5 + value / (2 * math.pi * ratio)
    return torch.where(x <= low, 0.0, torch.where(x >= high, 1.0, inner))


def _distance(values: Tensor, variance: Tensor, inside: Tensor, longer: int) -> Tensor:
    count = inside.sum(1)
    law = marchenko_pastur(values / variance[:, None].clamp(min=1e-300), values.shape[1] / longer)
    place = torch.arange(values.shape[1], device=values.device)
    share = count[:, None].clamp(min=1)
    gaps = torch.maximum((law - place / share).abs(), (law - (place + 1) / share).abs())
    found = torch.where(inside, gaps, 0.0).amax(1)
    return torch.where((count > 1) & (variance > 0), found, torch.nan)


def tails(values: Tensor) -> Tail:
    """Power laws of spectra [K, M]: every eigenvalue but the largest is tried as x_min (Clauset et al., section 3.3).

    No fit below 50 eigenvalues, nor where α comes out above 8. Those that rounding alone makes of weights in single
    precision count as 0: (M·ε)² of the largest, as for the rank of a matrix.
    """
    none = (values.shape[1] * torch.finfo(torch.float32).eps) ** 2
    fits = [_tail(row[row > none * row[-1]]) for row in values]
    alpha, least, distance = (torch.stack(column) for column in zip(*fits, strict=True))
    sound = alpha <= LARGEST_ALPHA
    return Tail(*(torch.where(sound, column, torch.nan) for column in (alpha, least, distance)))


def _tail(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """α, x_min and distance of one ascending spectrum."""
    count = len(values)
    if count < LEAST_FITTED:
        return (values.new_full((), torch.nan),) * 3
    logs = values.log()
    place = torch.arange(count, device=values.device)
    sizes = (count - place).to(logs.dtype)
    sums = logs.flip(0).cumsum(0).flip(0) - sizes * logs
    alphas = 1 + sizes / sums
    distances = torch.cat([_gaps(logs, alphas, start) for start in range(0, count, _CANDIDATES)])
    distances = torch.where(sums > 0, distances, torch.inf)[:-1]
    best = int(distances.argmin())
    return alphas[best], values[best], distances[best]


def _gaps(logs: Tensor, alphas: Tensor, start: int) -> Tensor:
    """Kolmogorov–Smirnov distances of the next candidates for x_min, each over the eigenvalues from it on.

    Few candidates at a time, in place: their table stays in the processor's cache.
    """
    stop = min(start + _CANDIDATES, len(logs))
    table = logs[None, start:] - logs[start:stop, None]
    table.mul_((1 - alphas[start:stop])[:, None]).expm1_()
    place = torch.arange(len(logs) - start, device=logs.device, dtype=logs.dtype)
    first = place[: stop - start, None]
    # The law is −table; i/n of the i-th eigenvalue from the candidate on.
    table.add_((place[None] - first) / (len(logs) - start - first)).abs_()
    table[:, : stop - start].copy_(table[:, : stop - start].triu())
    return table.amax(1)
