"""Dropout of K networks, without a random generator."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

# Of masks that are drawn together on a GPU.
_MASK_BYTES = 256 << 20


class StackedDropout(nn.Module):
    """While training, zeroes each value with probability `rate` and divides the others by 1 − rate.

    Which values go is a hash of the network's seed, how often the layer has been used, and the value's place in its
    batch. So a network's masks do not depend on what it is stacked with, a resumed training goes on with the next mask
    (the count is saved as any other buffer), and CPU and GPU draw the same. A hash takes 40 kernels: where many uses
    follow each other without a wait, `masks_ahead` has them drawn together.

    Args:
        rate: 0 < rate < 1.
        draws: One generator a network, each asked for one seed.

    References:
        Srivastava et al. 2014 (JMLR 15); the hash is `lowbias32` of Wellons's hash-prospector.
    """

    seed: Tensor
    uses: Tensor

    def __init__(self, rate: float, draws: Sequence[torch.Generator]) -> None:
        super().__init__()
        if not 0 < rate < 1:
            raise ValueError(f"a dropout rate must lie between 0 and 1, not at {rate}")
        self.rate = rate
        seeds = [torch.randint(-(2**31), 2**31, (), generator=draw) for draw in draws]
        self.register_buffer("seed", torch.stack(seeds).to(torch.int32))
        self.register_buffer("uses", torch.zeros(len(draws), dtype=torch.int32))
        self.ahead(1)

    def ahead(self, uses: int) -> None:
        """Masks of so many uses are drawn at the first of them, as far as memory goes; if they are of all networks."""
        self._networks, self._ahead = len(self.seed), uses
        self._masks: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        """[B, K · C, H, W] or [K, B, F] → the same shape."""
        if not self.training:
            return x
        if not self._masks:
            together = self._ahead if len(self.seed) == self._networks else 1
            some = max(1, min(together, _MASK_BYTES // (4 * x.numel())))
            self._masks, self._ahead = self._draw_masks(x, some), max(1, self._ahead - some)
        return x * self._masks.pop()

    def _draw_masks(self, x: Tensor, uses: int) -> list[Tensor]:
        """Masks of the next uses, shaped as x; the first one last."""
        later = torch.arange(uses, dtype=torch.int32, device=x.device)[:, None]
        keys = hash_bits(self.seed ^ hash_bits(self.uses + later))
        self.uses += uses
        networks = len(self.seed)
        places = torch.arange(x.numel() // networks, dtype=torch.int32, device=x.device)
        bits = hash_bits(keys[:, :, None] ^ hash_bits(places))
        if x.ndim == 4:
            bits = bits.view(uses, networks, len(x), -1, *x.shape[2:]).movedim(1, 2)
        kept = bits.reshape(uses, *x.shape) >= round(self.rate * 2**32) - 2**31
        return [*kept.to(x.dtype).mul_(1 / (1 - self.rate)).unbind()][::-1]

    def unstack(self, _network: int) -> nn.Dropout:
        """An ordinary layer of the same rate."""
        return nn.Dropout(self.rate)


@contextmanager
def masks_ahead(model: nn.Module, steps: int) -> Iterator[None]:
    """So many steps, each of which uses every dropout of the model once, have their masks drawn together."""
    drops = [module for module in model.modules() if isinstance(module, StackedDropout)]
    for drop in drops:
        drop.ahead(steps)
    try:
        yield
    finally:
        for drop in drops:
            drop.ahead(1)


def hash_bits(x: Tensor) -> Tensor:
    """32 well mixed bits for each int32."""
    x = (x ^ (x >> 16 & 0xFFFF)) * 0x7FEB352D
    x = (x ^ (x >> 15 & 0x1FFFF)) * (0x846CA68B - 2**32)
    return x ^ (x >> 16 & 0xFFFF)
