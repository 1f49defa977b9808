"""Masks: which weights of a stack are kept. A network that is masked keeps its shape; what is dropped is exactly 0.

A mask is a bool tensor shaped as its parameter, True where kept; parameters without a mask are kept whole.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from trainables.looking.places import module_of, weight_names
from trainables.stack.model import StackedModel

Masks = dict[str, Tensor]
Direction = Literal["lowest", "highest"]


def all_weights(stack: StackedModel) -> Masks:
    """Masks that keep every matrix and kernel whole."""
    tensors = stack.tensors()
    return {name: torch.ones_like(tensors[name], dtype=torch.bool) for name in weight_names(stack)}


def apply_masks(stack: StackedModel, masks: Mapping[str, Tensor] | None) -> StackedModel:
    """A copy of the stack with what is not kept at 0; without masks the stack itself."""
    if masks is None:
        return stack
    tensors = stack.tensors().items()
    return stack.with_tensors(
        {name: tensor * masks[name] if name in masks else tensor.clone() for name, tensor in tensors}
    )


def kept_values(values: Tensor, alive: Tensor, kept: int, direction: Direction) -> Tensor:
    """Bool, shaped as the values: exactly `kept` of those alive in each row.

    Args:
        values: [K, n] scores.
        alive: [K, n] bool; at least `kept` in each row.
        direction: Which scores go first; of equal ones the smaller index.
    Raises:
        ValueError: A score is not finite, or fewer are alive.
    """
    _require_enough([values], [alive], [kept])
    return _largest_mask(values, alive, kept, direction)


def _require_enough(scores: Sequence[Tensor], alive: Sequence[Tensor], kept: Sequence[int]) -> None:
    """As of `kept_values`, for many at once: with one wait for the device."""
    finite = torch.stack([values.isfinite().all() for values in scores]).all()
    sound, *fewest = torch.stack([finite, *(rows.sum(dim=1).min() for rows in alive)]).tolist()
    if not sound:
        raise ValueError("scores must be finite")
    for available, count in zip(fewest, kept, strict=True):
        if available < count:
            raise ValueError(f"cannot keep {count} of {available}")


def _largest_mask(values: Tensor, alive: Tensor, kept: int, direction: Direction) -> Tensor:
    keys = (values if direction == "lowest" else -values).masked_fill(~alive, -torch.inf)
    order = keys.argsort(dim=1, stable=True)[:, values.shape[1] - kept :]
    return torch.zeros_like(alive).scatter_(1, order, True)


def keep_in_layers(scores: Mapping[str, Tensor], masks: Masks, counts: Sequence[int], direction: Direction) -> Masks:
    """The masks with exactly this many weights kept in each tensor of each network.

    Args:
        scores: As the masks.
        counts: One for each mask, in their order.
    """
    _require_enough([scores[name] for name in masks], [mask.flatten(1) for mask in masks.values()], counts)
    return {
        name: _largest_mask(scores[name].flatten(1), mask.flatten(1), count, direction).view(mask.shape)
        for (name, mask), count in zip(masks.items(), counts, strict=True)
    }


def keep_overall(scores: Mapping[str, Tensor], masks: Masks, count: int, direction: Direction) -> Masks:
    """The masks with exactly this many weights kept in each network, whichever tensors they are in.

    No tensor is emptied: the one weight that would go last stays in each.
    """
    values = torch.cat([scores[name].flatten(1).double() for name in masks], dim=1)
    parts = [mask.flatten(1) for mask in masks.values()]
    alive = torch.cat(parts, dim=1)
    _require_enough([values], [*parts, alive], [*[1] * len(parts), count])
    last = torch.cat(
        [_largest_mask(scores[name].flatten(1), mask.flatten(1), 1, direction) for name, mask in masks.items()], 1
    )
    # Beyond every other value, so that these go last.
    beyond = values.abs().max() + 1
    values = torch.where(last, beyond if direction == "lowest" else -beyond, values)
    keep = _largest_mask(values, alive, count, direction)
    pieces = torch.split(keep, [mask[0].numel() for mask in masks.values()], dim=1)
    return {name: part.reshape(mask.shape) for (name, mask), part in zip(masks.items(), pieces, strict=True)}


def unit_masks(stack: StackedModel, alive: Sequence[Tensor]) -> Masks:
    """Masks of everything that belongs to dropped units: their incoming and outgoing weights, biases, batch norm.

    Args:
        alive: For each group [K, units] bool.
    """
    parameters = dict(stack.named_parameters())
    masks: Masks = {}
    for group, units in zip(stack.groups, alive, strict=True):
        for cut in group.cuts:
            if cut.tensor not in parameters:
                continue
            parameter = parameters[cut.tensor]
            shape = [1] * parameter.ndim
            shape[0], shape[cut.axis] = len(units), parameter.shape[cut.axis]
            along = units.repeat_interleave(cut.repeat, dim=1).view(shape)
            mask = masks.get(cut.tensor, torch.ones_like(parameter, dtype=torch.bool))
            masks[cut.tensor] = mask & along
    return masks


def shuffle_masks(masks: Masks, draws: Callable[[str, int], torch.Generator]) -> Masks:
    """The same number kept in each tensor of each network, at random places.

    Args:
        draws: Tensor's name, network → a generator.
    """
    new_masks = {}
    for name, mask in masks.items():
        rows = [
            row.flatten()[torch.randperm(row.numel(), generator=draws(name, k)).to(row.device)]
            for k, row in enumerate(mask)
        ]
        new_masks[name] = torch.stack(rows).view(mask.shape)
    return new_masks


def weights_kept(masks: Mapping[str, Tensor]) -> dict[str, list[int]]:
    """Mask → how much of it each network keeps; with one wait for the device."""
    if not masks:
        return {}
    counts = torch.stack([mask.flatten(1).sum(dim=1) for mask in masks.values()]).tolist()
    return dict(zip(masks, counts, strict=True))


def parameters_kept(stack: StackedModel, kept: Mapping[str, Sequence[int]]) -> list[int]:
    """Parameters of each network that are not dropped, biases and classifier included.

    Args:
        kept: As `weights_kept` counts them.
    """
    tensors = stack.tensors()
    whole = stack.parameters_per_network - sum(tensors[name][0].numel() for name in kept)
    return [whole + sum(counts[k] for counts in kept.values()) for k in range(stack.networks)]


def multiply_adds_kept(
    stack: StackedModel, kept: Mapping[str, Sequence[int]], input_shape: tuple[int, ...]
) -> list[int]:
    """Multiply-adds of each network on one example, by weights that are not dropped.

    Args:
        kept: As `weights_kept` counts them.
        input_shape: [C, H, W].
    """
    tensors, uses = stack.tensors(), weight_uses(stack, input_shape)
    whole = sum(times * tensors[name][0].numel() for name, times in uses.items() if name not in kept)
    parts = {name: times for name, times in uses.items() if name in kept}
    return [whole + sum(times * kept[name][k] for name, times in parts.items()) for k in range(stack.networks)]


def weight_uses(stack: StackedModel, input_shape: tuple[int, ...]) -> dict[str, int]:
    """Matrix or kernel → how often one of its weights is multiplied for one example: once for each pixel made."""
    uses: dict[str, int] = {}
    one = stack.select([0])
    modules = dict(one.named_modules())
    for name in weight_names(one):

        def hear(_module: object, _inputs: object, output: Tensor, name: str = name) -> None:
            uses[name] = output.shape[2] * output.shape[3] if output.ndim == 4 else 1

        modules[module_of(name)].register_forward_hook(hear)
    with torch.no_grad():
        one.eval()(torch.zeros(1, 1, *input_shape, device=next(one.parameters()).device))
    return uses
