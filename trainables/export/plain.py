"""From one network of a stack to the smallest ordinary network with the same outputs."""

from typing import Any

import torch
from torch import Tensor, nn

from trainables.stack.model import Cut, StackedModel, UnitGroup
from trainables.stack.spatial import ErrorFunction, Residual
from trainables.stack.tied import TiedUnits


def without_silent_units(one: StackedModel) -> StackedModel:
    """The network (a stack of one) without units that nothing listens to: all their outgoing weights are 0.

    No output changes. What unit masks dropped goes, what single-weight pruning has cut off, and units tied to training
    examples, which evaluation does without; of a layer that is silent altogether one unit stays.
    """
    one = _with_silent_ties(one)
    while True:
        kept = [_units_heard(one, group) for group in one.groups]
        if all(len(units) == width for units, width in zip(kept, one.widths, strict=True)):
            return one
        one = one.keep_units([units[None] for units in kept])


def _units_heard(one: StackedModel, group: UnitGroup) -> Tensor:
    """Units [kept] of the group that some outgoing weight reaches; the first unit where there is none."""
    tensors = one.tensors()
    width = _units(tensors[group.incoming[0].tensor], group.incoming[0]).shape[0]
    heard = torch.zeros(width, dtype=torch.bool, device=tensors[group.incoming[0].tensor].device)
    for cut in _outgoing(one, group):
        heard |= _units(tensors[cut.tensor], cut).ne(0).any(dim=1)
    return heard.nonzero()[:, 0] if heard.any() else heard.new_zeros(1, dtype=torch.int64)


def _with_silent_ties(one: StackedModel) -> StackedModel:
    """The network (a stack of one) in which nothing listens to units tied to examples, instead of their being tied."""
    tensors, changed = one.tensors(), {}
    for group in one.groups:
        for tie in (cut for cut in group.others if cut.tensor.endswith(".tie")):
            free = tensors[tie.tensor][0] == 0
            changed[tie.tensor] = torch.zeros_like(tensors[tie.tensor])
            for cut in _outgoing(one, group):
                weights = changed.get(cut.tensor, tensors[cut.tensor])
                shape = [1] * weights.ndim
                shape[cut.axis] = -1
                changed[cut.tensor] = weights * free.repeat_interleave(cut.repeat).view(shape)
    return one.with_tensors(tensors | changed) if changed else one


def _outgoing(one: StackedModel, group: UnitGroup) -> list[Cut]:
    """Where the weights are by which others listen to the units."""
    tensors = one.tensors()
    return [cut for cut in group.others if cut.tensor.endswith(".weight") and tensors[cut.tensor].ndim >= 3]


def _units(tensor: Tensor, cut: Cut) -> Tensor:
    """[units, everything of theirs] of the first network."""
    along = tensor.movedim(cut.axis, 1)
    return along.reshape(along.shape[1] // cut.repeat, -1)


def plain_layers(network: nn.Module) -> list[nn.Module]:
    """The layers that an ordinary network consists of when it only predicts.

    Nested sequences are laid out flat, dropout is left out (and so are ties, once `without_silent_units` has made them
    of no unit), and batch norm is folded into the convolution right before
    it (in float64); elsewhere, as at the start of a pre-activated block, it stays.
    """
    layers: list[nn.Module] = []
    for layer in _flat(network):
        last = layers[-1] if layers else None
        if isinstance(layer, Residual):
            layers.append(
                Residual(nn.Sequential(*plain_layers(layer.body)), nn.Sequential(*plain_layers(layer.shortcut)))
            )
        elif isinstance(layer, nn.BatchNorm2d) and isinstance(last, nn.Conv2d):
            layers[-1] = _fold_batch_norm(last, layer)
        elif not isinstance(layer, nn.Dropout | nn.Identity) and not _ties_nothing(layer):
            layers.append(layer)
    return layers


def _ties_nothing(layer: nn.Module) -> bool:
    return isinstance(layer, TiedUnits) and bool(layer.there.all())


def _flat(network: nn.Module) -> list[nn.Module]:
    return [inner for layer in network for inner in _flat(layer)] if isinstance(network, nn.Sequential) else [network]


def _fold_batch_norm(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """conv with what batch norm does to its channels in evaluation mode."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    bias = -norm.running_mean.double() if conv.bias is None else conv.bias.double() - norm.running_mean.double()
    shape: dict[str, Any] = {name: getattr(conv, name) for name in ("kernel_size", "stride", "padding")}
    folded = nn.Conv2d(conv.in_channels, conv.out_channels, **shape, device="meta").to_empty(device=conv.weight.device)
    assert folded.bias is not None
    with torch.no_grad():
        folded.weight.copy_(conv.weight.double() * factor[:, None, None, None])
        folded.bias.copy_(norm.bias.double() + bias * factor)
    return folded


def describe_layers(layers: list[nn.Module]) -> list[dict[str, Any]]:
    """Each layer as JSON: its class in `torch.nn` and the arguments that make it, or a Residual with its two ways.

    Raises:
        TypeError: A layer that the loader does not know.
    """
    return [_describe(layer) for layer in layers]


def _describe(layer: nn.Module) -> dict[str, Any]:
    fields: dict[str, Any]
    match layer:
        case nn.Linear():
            fields = {"in_features": layer.in_features, "out_features": layer.out_features}
        case nn.Conv2d():
            names = ("in_channels", "out_channels", "kernel_size", "stride", "padding")
            fields = {name: getattr(layer, name) for name in names} | {"bias": layer.bias is not None}
        case nn.BatchNorm2d():
            fields = {"num_features": layer.num_features, "eps": layer.eps}
        case nn.MaxPool2d():
            fields = {name: getattr(layer, name) for name in ("kernel_size", "stride", "padding")}
        case nn.AvgPool2d():
            fields = {"kernel_size": layer.kernel_size}
        case nn.AdaptiveAvgPool2d() | nn.AdaptiveMaxPool2d():
            fields = {"output_size": layer.output_size}
        case nn.ReLU() | nn.Flatten() | ErrorFunction():
            fields = {}
        case Residual(body=body, shortcut=shortcut):
            fields = {"body": describe_layers(_flat(body)), "shortcut": describe_layers(_flat(shortcut))}
        case _:
            raise TypeError(f"a network with a layer {type(layer).__name__} cannot be exported yet")
    return {"layer": type(layer).__name__, **fields}
