"""Example-tied dropout of K networks: some units are there for examples that are tied to them, and for no others."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from trainables.stack.dropout import hash_bits

_SCALE = 4096


class StackedTiedUnits(nn.Module):
    """Units of which the first are always there, and each of the others for a share of the training examples.

    Which examples a unit is tied to is a hash of its own number and of the example's inputs, so that it is the same
    ones in every epoch, whatever comes in a batch with them and whatever the network is stacked with. Evaluated, the
    tied units are gone: what networks memorised in them is cut out. `with_tied_units` leaves them in.

    Args:
        units: Of one network.
        shares: Of them that are tied, and of the examples that such a unit is tied to.
        draws: One generator a network, each asked for the units' numbers.

    Attributes:
        tie: [K, units] int32, the numbers; 0 of units that are always there.
        keys: [K, B] int32, what the inputs of this batch hash to; the network sets it.
        remain: Whether evaluation has the tied units too.

    References:
        Maini et al. 2023, arXiv:2307.09542.
    """

    tie: Tensor

    def __init__(self, units: int, shares: tuple[float, float], draws: Sequence[torch.Generator]) -> None:
        super().__init__()
        tied_share, self.examples = shares
        self.remain = False
        self.keys: Tensor | None = None
        numbers = [torch.randint(1, 2**31, (units,), generator=draw) for draw in draws]
        tie = torch.stack(numbers).to(torch.int32)
        tie[:, : max(1, round((1 - tied_share) * units))] = 0
        self.register_buffer("tie", tie)

    def forward(self, x: Tensor) -> Tensor:
        """[B, K · C, H, W] or [K, B, C] → the same shape, values of absent units 0."""
        mask = (self.tie == 0)[:, None]
        if self.training or self.remain:
            assert self.keys is not None
            bits = hash_bits(self.keys[:, :, None] ^ self.tie[:, None])
            mask = mask | (bits < round(self.examples * 2**32) - 2**31)
        if x.ndim == 4:
            mask = mask.transpose(0, 1).flatten(1)[:, :, None, None]
        return x * mask

    def unstack(self, network: int) -> "TiedUnits":
        """The units of one network."""
        return TiedUnits(self.tie[network] == 0)


class TiedUnits(nn.Module):
    """In an ordinary network: the tied units are gone.

    Args:
        there: [C] bool, units that are always there.
    """

    there: Tensor

    def __init__(self, there: Tensor) -> None:
        super().__init__()
        self.register_buffer("there", there.clone())

    def forward(self, x: Tensor) -> Tensor:
        """[B, C] or [B, C, H, W] → the same shape."""
        return x * self.there.view(-1, *[1] * (x.ndim - 2))


def recognise(model: nn.Module, x: Tensor) -> None:
    """Tells the tied units of a model what its inputs [K, B, …] are, before they go through it."""
    modules = [module for module in model.modules() if isinstance(module, StackedTiedUnits)]
    if modules and (modules[0].training or modules[0].remain):
        keys = _keys(x.detach().flatten(2))
        for module in modules:
            module.keys = keys


@contextmanager
def with_tied_units(model: nn.Module) -> Iterator[bool]:
    """While in it, evaluation has the tied units that an example has in training; yields whether there are any."""
    modules = [module for module in model.modules() if isinstance(module, StackedTiedUnits)]
    for module in modules:
        module.remain = True
    try:
        yield bool(modules)
    finally:
        for module in modules:
            module.remain, module.keys = False, None


def _keys(x: Tensor) -> Tensor:
    """[K, B] int32 of [K, B, F]: the same for the same inputs."""
    places = torch.arange(x.shape[2], dtype=torch.int32, device=x.device)
    odd = hash_bits(places) | 1
    return hash_bits(((x * _SCALE).round().to(torch.int32) * odd).sum(dim=2, dtype=torch.int32))
