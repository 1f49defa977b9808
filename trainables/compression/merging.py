"""Units folded into others that say the same."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from trainables.compression.evidence import scoring
from trainables.compression.interfaces import CompressionResult, Level
from trainables.compression.writing import output_axis
from trainables.pausing import Pausing
from trainables.stack.model import Cut, StackedModel, UnitGroup
from trainables.workspace import Workspace

_NEVER = -4.0
_TOGETHER = 16


def merge_to(workspace: Workspace, level: Level, *, fitted: bool) -> Pausing[CompressionResult]:
    """Networks of the level's widths; group after group, each with the activations that earlier mergers left.

    Args:
        fitted: Output weights are scaled by the least-squares slope instead of just added.
    """
    stack, origin = level.previous, level.origin
    correlations = []
    for place, width in enumerate(level.widths):
        group = stack.groups[place]
        evidence = scoring(workspace, stack, None, level.number)
        keep, mixing, correlation = yield from _fold(evidence.activations(group).values, width, fitted=fitted)
        stack = _merge_group(stack, place, keep, mixing)
        if origin is not None:
            origin = [*origin[:place], origin[place].gather(1, keep), *origin[place + 1 :]]
        correlations.append(correlation)
    pairs = torch.cat(correlations, dim=1)
    return CompressionResult(stack, origin, level.epochs, metrics=_metrics(pairs))


def _metrics(pairs: Tensor) -> dict[str, Tensor]:
    """What was folded: mean correlation over the pairs that have one (nan where none has), share of those without.

    Args:
        pairs: [K, pairs] correlations, nan where a unit never changes.
    """
    if not pairs.shape[1]:
        return {}
    return {"merged_correlation": pairs.nanmean(dim=1), "merged_constant": pairs.isnan().double().mean(dim=1)}


def _fold(values: Tensor, width: int, *, fitted: bool) -> Pausing[tuple[Tensor, Tensor, Tensor]]:
    """Pair by pair, the most correlated first; of a pair the unit with the larger activations stays.

    A unit that is never active goes first, whatever it is folded into, and leaves nothing. As the one that stays is not
    changed, correlations stay what they were.

    Args:
        values: [K, units, n, places] activations.
        width: Units that stay.
    Returns:
        [K, width] int64 ascending, the units that stay; [K, width, units], what of each unit's output weights they take
        over; [K, units − width], the correlations of the pairs, nan where one of the two is the same for all examples.
    """
    flat = values.flatten(2).double()
    networks, units, _ = flat.shape
    powers = flat.square().sum(dim=2)
    deviations = flat - flat.mean(dim=2, keepdim=True)
    lengths = deviations.square().sum(dim=2).sqrt()
    changing = lengths > 1e-12 * flat.abs().amax(dim=2).clamp_min(1e-300)
    unit = torch.where(changing[:, :, None], deviations / lengths.where(changing, 1.0)[:, :, None], 0.0)
    correlations = (unit @ unit.mT).clamp(-1, 1).masked_fill(~(changing[:, :, None] & changing[:, None]), math.nan)
    similar = correlations.nan_to_num(nan=-2.0)
    # Folding a silent unit costs nothing.
    silent = powers == 0
    similar = similar.masked_fill(silent[:, :, None] | silent[:, None], 2.0)
    similar.diagonal(dim1=1, dim2=2).fill_(_NEVER)
    products = flat @ flat.mT
    mixing = torch.eye(units, dtype=torch.float64, device=flat.device).repeat(networks, 1, 1)
    network, is_gone, pair_correlations = torch.arange(networks, device=flat.device), torch.zeros_like(silent), []
    for step in range(units - width):
        best = similar.flatten(1).argmax(dim=1)
        one, other = best // units, best % units
        pair_correlations.append(correlations[network, one, other])
        swap = powers[network, one] >= powers[network, other]
        stays, goes = torch.where(swap, one, other), torch.where(swap, other, one)
        slope = products[network, goes, stays] / powers[network, stays].clamp_min(1e-300)
        factor = slope if fitted else (~silent[network, goes]).double()
        mixing[network, stays] += factor[:, None] * mixing[network, goes]
        is_gone[network, goes] = True
        similar[network, goes], similar[network, :, goes] = _NEVER, _NEVER
        if step % _TOGETHER == 0:
            yield
    keep = (~is_gone).nonzero()[:, 1].view(networks, width)
    mix = mixing.gather(1, keep[:, :, None].expand(-1, -1, units)).float()
    return keep, mix, torch.stack(pair_correlations, dim=1) if pair_correlations else flat.new_zeros(networks, 0)


def _merge_group(stack: StackedModel, place: int, kept: Tensor, mixing: Tensor) -> StackedModel:
    """The stack without the units of one group that went, their output weights in those that stay."""
    group, networks = stack.groups[place], stack.networks
    everything = [torch.arange(width, device=kept.device).repeat(networks, 1) for width in stack.widths]
    smaller = stack.keep_units([*everything[:place], kept, *everything[place + 1 :]])
    tensors = stack.tensors()
    new_tensors = {cut.tensor: _mix(tensors[cut.tensor], cut, mixing) for cut in outgoing(stack, group)}
    return smaller.with_tensors(smaller.tensors() | new_tensors)


def outgoing(stack: StackedModel, group: UnitGroup) -> Sequence[Cut]:
    """Where the group's units are the inputs of a matrix or kernel."""
    tensors = stack.tensors()
    weights = [cut for cut in group.others if cut.tensor.endswith(".weight") and tensors[cut.tensor].ndim >= 3]
    return [cut for cut in weights if cut.axis != output_axis(tensors[cut.tensor])]


def _mix(weights: Tensor, cut: Cut, mixing: Tensor) -> Tensor:
    columns = weights.movedim(cut.axis, 1)
    units = columns.shape[1] // cut.repeat
    sums = mixing @ columns.reshape(len(columns), units, -1)
    shape = (len(columns), mixing.shape[1] * cut.repeat, *columns.shape[2:])
    return sums.reshape(shape).movedim(1, cut.axis).contiguous()
