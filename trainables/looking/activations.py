"""What hidden units answer to examples, and how the loss changes with their answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainables.looking.gradients import SummedLoss
from trainables.looking.places import last_makers
from trainables.stack.model import StackedModel, UnitGroup

# Values of a unit that are looked at: its places times examples. Never what fits into memory, which would depend on how
# many networks there are: a network is scored the same whatever it is stacked with. At 28 × 28 places 83 examples.
_VALUES, _LEAST_EXAMPLES = 1 << 16, 32
_BATCH = 64


@dataclass(frozen=True)
class Activations:
    """Answers of a group's units.

    Args:
        values: [K, units, n, places], what units respond (≥ 0 of ReLUs); places are the pixels of a channel, 1 in an
            affine layer.
        slopes: The same shape; derivative of each example's own loss by the value (0 where it is 0).
    """

    values: Tensor
    slopes: Tensor


def activations(stack: StackedModel, group: UnitGroup, inputs: Tensor, labels: Tensor, loss: SummedLoss) -> Activations:
    """Activations of the group on the first examples: 65,536 values of each unit, from at least 32 examples.

    Units that several layers make together (residual connections) have the places of all of them, side by side.

    Args:
        stack: K networks; left as they are.
        inputs, labels: [K, n, C, H, W] and [K, n, …].
        loss: As for `gradients.mean_gradients`.
    Cost: One forward and one backward pass over the examples used, whose activations are in memory together.
    """
    parts = [_of_piece(some, group, inputs[part], labels[part], loss) for part, some in stack.pieces()]
    if len(parts) == 1:
        return parts[0]
    return Activations(*(torch.cat([getattr(p, name) for p in parts]) for name in ("values", "slopes")))


def _of_piece(stack: StackedModel, group: UnitGroup, inputs: Tensor, labels: Tensor, loss: SummedLoss) -> Activations:
    modules = [stack.get_submodule(name) for name in last_makers(group)]
    units = dict(zip((g.name for g in stack.groups), stack.widths, strict=True))[group.name]

    def answers(part: slice) -> Activations:
        with listening(modules) as heard:
            said = stack(inputs[:, part])
        return _by_modules(stack, modules, units, heard, loss(said, labels[:, part]))

    probe = answers(slice(1))
    count = min(labels.shape[1], max(_LEAST_EXAMPLES, _VALUES // probe.values.shape[3]))
    parts = []
    for start in range(0, count, _BATCH):
        parts.append(answers(slice(start, min(start + _BATCH, count))))
    return Activations(*(torch.cat([getattr(p, name) for p in parts], dim=2) for name in ("values", "slopes")))


def _by_modules(
    stack: StackedModel, modules: list[nn.Module], units: int, heard: dict[nn.Module, list[Tensor]], loss: Tensor
) -> Activations:
    outputs = [output for module in modules for output in heard[module]]
    slopes = iter(torch.autograd.grad(loss, outputs))
    values, derivatives = [], []
    for module in modules:
        values.append(torch.cat([by_unit(output.detach(), units) for output in heard[module]]))
        derivatives.append(torch.cat([by_unit(next(slopes), units) for _ in heard[module]]))
    sums, by = torch.cat(values, dim=3).requires_grad_(), torch.cat(derivatives, dim=3)
    responses = stack.respond(sums)
    (steepness,) = torch.autograd.grad(responses.sum(), sums)
    return Activations(responses.detach(), torch.where(steepness > 0, by / steepness, 0.0))


@contextmanager
def listening(modules: list[nn.Module]) -> Iterator[dict[nn.Module, list[Tensor]]]:
    """Outputs of these modules, one for each time that they run (once a network where networks run one by one)."""
    heard: dict[nn.Module, list[Tensor]] = {module: [] for module in modules}

    def hear(module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        heard[module].append(output)
        # A copy goes on: a ReLU in place must not overwrite what was heard.
        return output.clone()

    handles = [module.register_forward_hook(hear) for module in modules]
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def by_unit(output: Tensor, units: int) -> Tensor:
    """[k, B, units] of an affine layer or [B, k · units, H, W] of channels → [k, units, B, places]."""
    if output.ndim == 3:
        return output.transpose(1, 2)[..., None]
    batch, channels, height, width = output.shape
    return output.reshape(batch, channels // units, units, height * width).movedim(0, 2)
