"""What the layers of K networks answer to examples, without gradients."""

from collections.abc import Iterator

import torch
from torch import Tensor

from trainables.looking.activations import by_unit, listening
from trainables.looking.places import last_makers
from trainables.stack.model import StackedModel, UnitGroup

_TOGETHER = 128


def features(stack: StackedModel, inputs: Tensor) -> dict[str, Tensor]:
    """Layer → [K, n, units] float32: the pixels, hidden units after their ReLU (channels: mean over places), logits.

    Units that several layers make together (residual connections) have the mean over all of them, as each of these
    sums goes on through a ReLU.

    Args:
        stack: K networks; left as they are.
        inputs: [K, n, C, H, W].
    Cost: One forward pass.
    """
    pieces = [
        join_features([_features(some, part_inputs) for part_inputs in torch.split(inputs[part], _TOGETHER, dim=1)], 1)
        for part, some in stack.pieces()
    ]
    return join_features(pieces, 0)


def join_features(parts: list[dict[str, Tensor]], dim: int) -> dict[str, Tensor]:
    """Name → what all parts have under it, one after another along an axis."""
    return parts[0] if len(parts) == 1 else {name: torch.cat([part[name] for part in parts], dim) for name in parts[0]}


def _features(stack: StackedModel, inputs: Tensor) -> dict[str, Tensor]:
    modules = {name: stack.get_submodule(name) for group in stack.groups for name in last_makers(group)}
    with torch.no_grad(), listening([*modules.values()]) as heard:
        logits = stack(inputs)
    found = {"inputs": inputs.flatten(2)}
    for group, units in zip(stack.groups, stack.widths, strict=True):
        found[group.name] = torch.stack(list(_answers(stack, group, units, heard))).mean(0)
    return {**found, "outputs": logits}


def _answers(
    stack: StackedModel, group: UnitGroup, units: int, heard: dict[torch.nn.Module, list[Tensor]]
) -> Iterator[Tensor]:
    """[K, n, units] of each module that makes the units."""
    for name in last_makers(group):
        parts = [stack.respond(by_unit(output, units)).mean(3).mT for output in heard[stack.get_submodule(name)]]
        yield torch.cat(parts)
