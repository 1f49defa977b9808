"""Dropout of K networks, without a random generator."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class StackedDropout(nn.Module):
    """While training, zeroes each value with probability `rate` and divides the others by 1 − rate.

    Which values go is a hash of the network's seed, how often the layer has been used, and the value's place in its
    batch. So a network's masks do not depend on what it is stacked with, a resumed training goes on with the next mask
    (the count is saved as any other buffer), and CPU and GPU draw the same.

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

    def forward(self, x: Tensor) -> Tensor:
        """[B, K · C, H, W] or [K, B, F] → the same shape."""
        if not self.training:
            return x
        keys = _hashed(self.seed ^ _hashed(self.uses))
        self.uses += 1
        spatial = x.ndim == 4
        places = torch.arange(x.numel() // len(keys), dtype=torch.int32, device=x.device)
        bits = _hashed(keys[:, None] ^ _hashed(places))
        bits = bits.view(len(keys), len(x), -1, *x.shape[2:]) if spatial else bits.view(x.shape)
        kept = bits >= round(self.rate * 2**32) - 2**31
        mask = kept.to(x.dtype).mul_(1 / (1 - self.rate))
        return x * (mask.movedim(0, 1).flatten(1, 2) if spatial else mask)

    def unstack(self, _network: int) -> nn.Dropout:
        """An ordinary layer of the same rate."""
        return nn.Dropout(self.rate)


def _hashed(x: Tensor) -> Tensor:
    """32 well mixed bits for each int32."""
    x = (x ^ (x >> 16 & 0xFFFF)) * 0x7FEB352D
    x = (x ^ (x >> 15 & 0x1FFFF)) * (0x846CA68B - 2**32)
    return x ^ (x >> 16 & 0xFFFF)
