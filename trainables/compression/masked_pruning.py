"""Pruning that masks: single weights, or units that compete over all layers."""

from bisect import bisect_left

import torch
from torch import Tensor

from trainables.compression.evidence import scoring
from trainables.compression.interfaces import CompressionResult, Criterion, Level, Sizes
from trainables.compression.masks import (
    Direction,
    Masks,
    all_weights,
    apply_masks,
    keep_in_layers,
    keep_overall,
    kept_values,
    multiply_adds_kept,
    parameters_kept,
    unit_masks,
    weights_kept,
)
from trainables.compression.sizing import interpolate_geometrically, target_at
from trainables.compression.tickets import configured_tickets
from trainables.looking.places import weight_names
from trainables.moving import to_device, to_host
from trainables.pausing import Pausing
from trainables.stack.model import StackedModel
from trainables.workspace import Workspace


def prune_weights(
    workspace: Workspace, level: Level, criterion: Criterion, steps: int, *, output: bool
) -> Pausing[CompressionResult]:
    """Exactly `workspace.level_weights` single weights stay, of those that were there.

    With several steps the counts shrink by the same factor in each. Where the trial is given a ticket its masks are
    taken instead.

    Args:
        workspace, level, criterion: Of the trial.
        steps: In so many the level is reached.
        output: Whether weights of the output layer compete where all layers do.
    """
    config = workspace.config.compression
    if (ticket := configured_tickets(workspace)) is not None:
        return _with_masks(workspace, level, apply_masks(level.previous, ticket.masks), ticket.masks)
    masks = level.masks or all_weights(level.previous)
    start, end = workspace.level_weights[level.number - 1 : level.number + 1]
    stack = level.previous
    for step in range(1, steps + 1):
        counts = [
            interpolate_geometrically(before, after, step / steps) for before, after in zip(start, end, strict=True)
        ]
        evidence = scoring(workspace, stack, level.origin, level.number, step, masks=masks)
        scores = {}
        for name in masks:
            scores[name] = criterion.weight_scores(evidence, name)
            yield
        if config.scope == "layer":
            masks = keep_in_layers(scores, masks, counts, config.direction)
        else:
            whole = () if output else weight_names(stack)[-1:]
            competing = {name: mask for name, mask in masks.items() if name not in whole}
            masks = masks | keep_overall(scores, competing, counts[0], config.direction)
        stack = apply_masks(stack, masks)
    return _with_masks(workspace, level, stack, masks)


def _with_masks(workspace: Workspace, level: Level, stack: StackedModel, masks: Masks) -> CompressionResult:
    counts = weights_kept(masks)
    sizes = Sizes(parameters_kept(stack, counts), multiply_adds_kept(stack, counts, workspace.input_shape))
    return CompressionResult(stack, level.origin, level.epochs, masks=masks, sizes=sizes)


def prune_units_overall(
    workspace: Workspace, level: Level, criterion: Criterion, steps: int
) -> Pausing[CompressionResult]:
    """As few units as possible go, lowest scores over all layers first, until the level's parameter ratio is reached.

    Networks end with widths of their own; none of their layers is emptied. Each network is scored as the small one it
    is, without its dropped units.
    """
    config, stack = workspace.config.compression, level.previous
    device = next(stack.parameters()).device
    alive = [row.clone() for row in to_host(units_left(stack, level.masks))]
    for step in range(1, steps + 1):
        budget = workspace.dense_parameters / target_at(config, level.number - 1 + step / steps)
        scores: list[Tensor] = []
        for k in range(stack.networks):
            units = [to_device(row[k].nonzero().t(), device) for row in alive]
            small = stack.select([k]).keep_units(units)
            evidence = scoring(workspace, small, units, level.number, step, networks=[k])
            scores += [criterion.scores(evidence, group)[0] for group in small.groups]
            yield
        here = to_host(scores)
        for k in range(stack.networks):
            own_scores = here[k * len(alive) : (k + 1) * len(alive)]
            for row, places in zip(alive, _choose_units(workspace, own_scores, budget, config.direction), strict=True):
                units_before = row[k].nonzero()[:, 0]
                row[k] = False
                row[k, units_before[places]] = True
        masks = unit_masks(stack, [to_device(row, device) for row in alive])
        stack = apply_masks(stack, masks)
    counts = weights_kept(masks)
    cost = parameters_kept(stack, counts), multiply_adds_kept(stack, counts, workspace.input_shape)
    # No layer is empty, so that a unit that stays has incoming weights, and is found again by its masks.
    sizes = Sizes(*cost, _widths(alive))
    return CompressionResult(stack, level.origin, level.epochs, masks=masks, sizes=sizes)


def kept_widths(stack: StackedModel, masks: Masks) -> list[tuple[int, ...]]:
    """Units of each group that each network has left."""
    return _widths(to_host(units_left(stack, masks)))


def _widths(alive: list[Tensor]) -> list[tuple[int, ...]]:
    return [tuple(widths) for widths in torch.stack([units.sum(dim=1) for units in alive], dim=1).tolist()]


def units_left(stack: StackedModel, masks: Masks | None) -> list[Tensor]:
    """For each group [K, units] bool: whether anything of the unit's incoming weights is kept."""
    if masks is None:
        device = next(stack.parameters()).device
        return [torch.ones(stack.networks, width, dtype=torch.bool, device=device) for width in stack.widths]
    tensors = {name: mask.float() for name, mask in masks.items()}
    smaller = stack.with_tensors(stack.tensors() | tensors)
    return [smaller.incoming_weights(group).gt(0).any(dim=2) for group in stack.groups]


def _choose_units(workspace: Workspace, scores: list[Tensor], allowed: float, direction: Direction) -> list[Tensor]:
    """For each group the units of one network that stay, so that it has at most `allowed` parameters; on the CPU."""
    everyone = torch.ones(1, 1, dtype=torch.bool)
    last = [kept_values(s[None], everyone.expand(1, len(s)), 1, direction)[0] for s in scores]
    groups = torch.cat([torch.full((len(s),), g) for g, s in enumerate(scores)])
    values = torch.cat(scores).double()
    values = (values if direction == "lowest" else -values).masked_fill(torch.cat(last), torch.inf)
    order = values.argsort(stable=True)
    widths = torch.tensor([len(s) for s in scores])

    def parameters(count: int) -> int:
        cuts = groups[order[:count]].bincount(minlength=len(scores))
        rest = tuple((widths - cuts).tolist())
        return workspace.model.parameter_count(rest, workspace.input_shape, workspace.data.num_classes)

    removable = len(order) - len(scores)
    count = bisect_left(range(removable), -allowed, key=lambda number: -parameters(number))
    staying = torch.ones(len(order), dtype=torch.bool)
    staying[order[:count]] = False
    return [part.nonzero()[:, 0] for part in torch.split(staying, widths.tolist())]
