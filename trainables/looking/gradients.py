"""Derivatives of the training loss with respect to the weights of K networks.

All leave the networks as they are, `.grad` included.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from trainables.stack.model import StackedModel

Batch = tuple[Tensor, Tensor]
# Outputs [K, B, …] and targets [K, B, …] → the sum over networks and examples of the loss, with its graph.
SummedLoss = Callable[[Tensor, Tensor], Tensor]
_COPIES_BYTES = 64 << 20


def mean_gradients(stack: StackedModel, batches: Iterable[Batch], count: int, loss: SummedLoss) -> dict[str, Tensor]:
    """Parameter → gradient of each network's mean loss.

    Args:
        stack: K networks.
        batches: Inputs [K, B, C, H, W] and labels [K, B, …], `count` examples in all.
        count: See there.
        loss: E.g. `Task.graph_loss`.
    Cost: One forward and one backward pass.
    """
    everything = list(batches)

    def gradients_of(some: StackedModel, part: slice) -> dict[str, Tensor]:
        names, parameters = zip(*some.named_parameters(), strict=True)
        parts = [torch.autograd.grad(_loss(some, x[part], y[part], count, loss), parameters) for x, y in everything]
        return dict(zip(names, _sum(parts), strict=True))

    return by_pieces(stack, gradients_of)


def hessian_products(
    stack: StackedModel,
    batches: Callable[[], Iterable[Batch]],
    count: int,
    vectors: dict[str, Tensor],
    loss: SummedLoss,
) -> dict[str, Tensor]:
    """Parameter → its part of H·v, H the Hessian of each network's mean loss.

    Args:
        vectors: v, parameter → tensor of its shape.
    Cost: Two backward passes; other arguments as for `mean_gradients`.
    """

    def products_of(some: StackedModel, part: slice) -> dict[str, Tensor]:
        names, parameters = zip(*some.named_parameters(), strict=True)
        parts = []
        for x, y in batches():
            gradients = torch.autograd.grad(_loss(some, x[part], y[part], count, loss), parameters, create_graph=True)
            along = [(g * vectors[n][part]).sum() for n, g in zip(names, gradients, strict=True)]
            parts.append(torch.autograd.grad(torch.stack(along).sum(), parameters))
        return dict(zip(names, _sum(parts), strict=True))

    return by_pieces(stack, products_of)


def squared_gradients(stack: StackedModel, inputs: Tensor, labels: Tensor, loss: SummedLoss) -> dict[str, Tensor]:
    """Parameter → mean over examples of the squared gradient of one example's loss: the diagonal empirical Fisher.

    Args:
        inputs, labels: [K, n, C, H, W] and [K, n, …].
        loss: As for `mean_gradients`.
    Cost: n backward passes of one example; each example gets its own copy of its network.
    """
    networks, count = labels.shape[:2]
    names = [name for name, _ in stack.named_parameters()]
    totals = {name: torch.zeros_like(tensor) for name, tensor in stack.tensors().items() if name in names}
    together = max(1, _COPIES_BYTES // (4 * stack.parameters_per_network * networks))
    for start in range(0, count, together):
        x, y = inputs[:, start : start + together], labels[:, start : start + together]
        size = y.shape[1]
        copies = stack.select([network for network in range(networks) for _ in range(size)])
        single = mean_gradients(copies, [(x.flatten(0, 1)[:, None], y.flatten(0, 1)[:, None])], 1, loss)
        for name, gradient in single.items():
            totals[name] += gradient.square().view(networks, size, *gradient.shape[1:]).sum(1)
    return {name: total / count for name, total in totals.items()}


def synaptic_flow(stack: StackedModel, input_shape: tuple[int, ...]) -> dict[str, Tensor]:
    """Parameter → |w| ⊙ ∂R/∂|w|, float64, with R = 1ᵀ(∏|W|)1: all weights made positive, biases and running means zero.

    Args:
        input_shape: [C, H, W]; the input is all ones.
    References:
        Tanaka et al. 2020, arXiv:2006.05467.
    """
    shifts = ("bias", "running_mean")
    positive = {
        name: torch.zeros_like(tensor, dtype=torch.float64) if name.endswith(shifts) else tensor.double().abs()
        for name, tensor in stack.tensors().items()
        if tensor.is_floating_point()
    }

    def flow_of(linear: StackedModel, _part: slice) -> dict[str, Tensor]:
        names, parameters = zip(*linear.named_parameters(), strict=True)
        device = parameters[0].device
        ones = torch.ones(linear.networks, 1, *input_shape, dtype=torch.float64, device=device)
        flows = torch.autograd.grad(linear(ones).sum(), parameters)
        return {n: p.detach() * flow for n, p, flow in zip(names, parameters, flows, strict=True)}

    return by_pieces(stack.with_tensors(stack.tensors() | positive), flow_of)


def by_pieces(stack: StackedModel, of: Callable[[StackedModel, slice], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Name → [K, …] of all networks, made of `stack.together` of them after each other."""
    parts = [of(some, part) for part, some in stack.pieces()]
    return parts[0] if len(parts) == 1 else {name: torch.cat([made[name] for made in parts]) for name in parts[0]}


def _sum(parts: list[tuple[Tensor, ...]]) -> list[Tensor]:
    return [torch.stack(tensors).sum(0) for tensors in zip(*parts, strict=True)]


def _loss(stack: StackedModel, x: Tensor, y: Tensor, count: int, loss: SummedLoss) -> Tensor:
    """Sum over networks of their summed losses divided by `count`; no term holds weights of two networks."""
    return loss(stack(x), y) / count
