"""Code books of a part's numbers: few values, uniform or clustered, for the whole part or for each output channel."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from trainables.compression.clustering import cluster
from trainables.compression.writing import Book, Part
from trainables.moving import to_host

Rule = Literal["mse", "range"]
# Ranges that are tried: 1/80, 2/80, … of the largest one.
_RANGES = 80


def on_host(parts: Mapping[str, Part]) -> dict[str, Part]:
    """Their numbers and masks on the CPU, after one wait.

    For k-means: thousands of small steps, each of which looks at what the last one moved; and a GPU adds up in any
    order.
    """
    tensors = [tensor for part in parts.values() for tensor in (part.values, part.kept_mask) if tensor is not None]
    copies = iter(to_host(tensors))
    return {
        name: replace(part, values=next(copies), kept_mask=None if part.kept_mask is None else next(copies))
        for name, part in parts.items()
    }


def cluster_values(part: Part, count: int, *, per_channel: bool) -> Book:
    """`count` values where k-means puts them; of a part on the CPU, see `on_host`."""
    values, kept, axis = _groups(part, per_channel)
    rows = values.flatten(0, 1)
    centres, symbols = cluster(rows, kept.flatten(0, 1), count)
    numbers = centres.view(*values.shape[:2], count)
    return Book(_ungroup(symbols.view(values.shape), part, axis), count, numbers, "list", axis=axis)


def uniform(part: Part, bits: int, *, symmetric: bool, per_channel: bool, rule: Rule) -> Book:
    """2^bits evenly spaced values; of one bit two values, sign times mean.

    With b ≥ 2 bits symbols are the integers −2^(b−1) … 2^(b−1) − 1 of torch's quantized types, and a value is
    s · (q − z). Rule `range` takes s and z as torch's `MinMaxObserver` does: symmetric z = 0, s = 2 max|w|/(2^b − 1);
    affine s = (max − min)/(2^b − 1) with 0 inside the range and on the grid. Rule `mse` does the same with 1/80 … 80/80
    of the range, and takes what has the smallest squared error: large weights are cut off rather than all others made
    0. One bit: sign(w) · mean|w|, which is the optimum (Rastegari et al. 2016, arXiv:1603.05279); affine: the means
    of what lies below and above the mean.
    """
    values, kept, axis = _groups(part, per_channel)
    if bits == 1:
        return _one_bit(part, values, kept, axis, symmetric=symmetric)
    low = torch.where(kept, values, 0.0).amin(dim=2, keepdim=True)
    high = torch.where(kept, values, 0.0).amax(dim=2, keepdim=True)
    best: tuple[Tensor, Tensor, Tensor, Tensor] | None = None
    for step in range(1, _RANGES + 1) if rule == "mse" else (_RANGES,):
        scale, zero = _grid(low, high, step / _RANGES, bits, symmetric=symmetric)
        symbols = _round(values, scale, zero, bits)
        error = ((symbols - zero) * scale - values).double().square().mul(kept).sum(dim=2, keepdim=True)
        if best is None:
            best = (error, scale, zero, symbols)
        else:
            better = error <= best[0]
            now = (error, scale, zero, symbols)
            best = tuple(torch.where(better, new, old) for new, old in zip(now, best, strict=True))  # type: ignore[assignment]
    if best is None:
        raise ValueError("no range to try")
    _, scale, zero, symbols = best
    lowest = -(2 ** (bits - 1))
    numbers = scale if symmetric else torch.cat([scale, zero], dim=2)
    found = _ungroup((symbols - lowest).to(torch.int32), part, axis)
    return Book(found, 2**bits, numbers, "grid", lowest, axis)


def _grid(low: Tensor, high: Tensor, share: float, bits: int, *, symmetric: bool) -> tuple[Tensor, Tensor]:
    """Scale and zero point; scale 1 where there is nothing but zeros."""
    steps, lowest = 2**bits - 1, -(2 ** (bits - 1))
    if symmetric:
        scale = torch.maximum(-low, high) * share / (steps / 2)
        return torch.where(scale > 0, scale, 1.0), torch.zeros_like(scale)
    scale = (high - low) * share / steps
    scale = torch.where(scale > 0, scale, 1.0)
    return scale, (lowest - torch.round(low * share / scale)).clamp(lowest, lowest + steps)


def _round(values: Tensor, scale: Tensor, zero: Tensor, bits: int) -> Tensor:
    """As torch's kernels: multiplied by 1/s, rounded half to even, cut off."""
    lowest = -(2 ** (bits - 1))
    return torch.round(values * (1 / scale) + zero).clamp_(lowest, lowest + 2**bits - 1)


def _one_bit(part: Part, values: Tensor, kept: Tensor, axis: int | None, *, symmetric: bool) -> Book:
    def mean(of: Tensor, where: Tensor) -> Tensor:
        return torch.where(where, of, 0.0).sum(dim=2, keepdim=True) / where.sum(dim=2, keepdim=True).clamp_min(1)

    if symmetric:
        symbols = (values >= 0).to(torch.int32)
        return Book(_ungroup(symbols, part, axis), 2, mean(values.abs(), kept), "signs", axis=axis)
    above = values >= mean(values, kept)
    numbers = torch.cat([mean(values, kept & ~above), mean(values, kept & above)], dim=2)
    return Book(_ungroup(above.to(torch.int32), part, axis), 2, numbers, "list", axis=axis)


def _groups(part: Part, per_channel: bool) -> tuple[Tensor, Tensor, int | None]:
    """Numbers and mask as [K, groups, n], and the axis of the groups."""
    kept = torch.ones_like(part.values, dtype=torch.bool) if part.kept_mask is None else part.kept_mask
    axis = part.channels if per_channel else None
    if axis is None:
        return part.values.flatten(1)[:, None], kept.flatten(1)[:, None], None
    return part.values.movedim(axis, 1).flatten(2), kept.movedim(axis, 1).flatten(2), axis


def _ungroup(symbols: Tensor, part: Part, axis: int | None) -> Tensor:
    """[K, groups, n] → the part's shape."""
    if axis is None:
        return symbols.view(part.values.shape)
    return symbols.view(part.values.movedim(axis, 1).shape).movedim(1, axis).contiguous()
