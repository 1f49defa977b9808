"""Training with a penalty on whole units, which drives some of them to exactly 0."""

from collections.abc import Sequence

import torch
from torch import Tensor

from trainables.compression.interfaces import CompressionResult, Level
from trainables.compression.keeping import units_to_keep
from trainables.compression.merging import outgoing
from trainables.pausing import Pausing
from trainables.stack.model import Cut, StackedModel, UnitGroup
from trainables.workspace import Workspace


def sparse_to(
    workspace: Workspace, level: Level, *, epochs: int, lr: float | None, strength: float
) -> Pausing[CompressionResult]:
    """The networks of the level before, trained on with the penalty, then cut to the level's widths."""
    stack = level.previous.select(range(level.previous.networks))
    recipe = workspace.fixed_recipe(epochs, lr)
    examples = workspace.train_examples
    yield from workspace.fit(
        "sparse", stack, examples, recipe, after_step=lambda model, rate: shrink(model, rate * strength)
    )
    norms = unit_norms(stack)
    kept = units_to_keep(norms, level.widths, "lowest")
    silent = (torch.cat(norms, dim=1) == 0).double().mean(dim=1)
    origin = level.origin
    if origin is not None:
        origin = [index.gather(1, left) for index, left in zip(origin, kept, strict=True)]
    metrics = {"silent_units": silent}
    return CompressionResult(stack.keep_units(kept), origin, level.epochs + epochs, recipe, metrics)


def shrink(stack: StackedModel, threshold: float | Tensor) -> None:
    """The proximal step of threshold · Σ √n ‖u‖₂, in place: u ← u · max(0, 1 − threshold · √n/‖u‖₂).

    u are the n incoming weights of a unit and its biases, without which a unit of weights 0 would still say something,
    and (another group, as in DropNeuron) its n outgoing weights.
    """
    parameters = dict(stack.named_parameters())
    for group in stack.groups:
        for cuts in (_made_by(group), outgoing(stack, group)):
            squares, count = _squares(parameters, cuts)
            norms = squares.sqrt()
            factor = (1 - threshold * count**0.5 / norms.clamp_min(1e-30)).clamp_min(0)
            with torch.no_grad():
                for cut in cuts:
                    weights = parameters[cut.tensor]
                    shape = [1] * weights.ndim
                    shape[0], shape[cut.axis] = weights.shape[0], weights.shape[cut.axis]
                    weights.mul_(factor.repeat_interleave(cut.repeat, dim=1).view(shape))


def unit_norms(stack: StackedModel) -> list[Tensor]:
    """For each group [K, units]: ‖incoming weights and biases‖ · ‖outgoing weights‖, 0 where either is."""
    tensors, found = stack.tensors(), []
    for group in stack.groups:
        sides = [_squares(tensors, cuts)[0] for cuts in (_made_by(group), outgoing(stack, group))]
        found.append((sides[0] * sides[1]).sqrt())
    return found


def _made_by(group: UnitGroup) -> tuple[Cut, ...]:
    """Where a unit's incoming weights are, and its biases (with batch norm those of that too)."""
    return (*group.incoming, *(cut for cut in group.others if cut.tensor.endswith(".bias")))


def _squares(tensors: dict[str, Tensor] | dict[str, torch.nn.Parameter], cuts: Sequence[Cut]) -> tuple[Tensor, int]:
    """[K, units] sums of squares over all weights of a unit, and how many these are."""
    sums, count = [], 0
    for cut in cuts:
        weights = tensors[cut.tensor].detach()
        others = [axis for axis in range(1, weights.ndim) if axis != cut.axis]
        squares = weights.square()
        of_units = squares.sum(dim=others) if others else squares  # batch norm has one number a unit
        sums.append(of_units.view(len(of_units), -1, cut.repeat).sum(dim=2))
        count += weights[0].numel() // (weights.shape[cut.axis] // cut.repeat)
    total = sums[0]
    for one in sums[1:]:
        total = total + one
    return total, count
