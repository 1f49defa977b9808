"""Inputs in memory, gathered and normalised in large pieces."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from trainables.device import kept_bytes
from trainables.moving import to_device

# Bytes are seen as (image − mean)/255 and not divided by their deviation: that makes the squared length of an input,
# and so the curvature, up to ten times larger, and at the usual rates random labels are no longer fitted well (digits,
# lr 0.05, momentum 0.9: 95–112 epochs against 100–290; MNIST, lr 0.1: 28–34 against over 100 for three networks of
# five).
_SCALE = 255.0
# Up to this size the whole set is kept normalised, so that gathering a batch is a single copy.
_KEEP_BYTES = 16 << 20


@dataclass(frozen=True)
class Inputs:
    """What each network of a stack sees.

    Args:
        images: [S, n, C, H, W] uint8 or float32, S versions of the same n examples.
        source: [K] int64, the version that each network sees.
        mean: [C] float32, in units of the images. Of bytes networks see (image − mean)/255, numbers they see as they
            are: a data set of numbers has a scale of its own.
        subset: [K, m] int64, which of the examples each network has: to whoever asks it has m, numbered from 0 to
            m − 1. None: all.
    """

    images: Tensor
    source: Tensor
    mean: Tensor
    subset: Tensor | None = None
    _normalised: list[Tensor] = field(default_factory=list, compare=False)

    @property
    def count(self) -> int:
        """Examples of each network: n, or m."""
        return int(self.images.shape[1] if self.subset is None else self.subset.shape[1])

    @property
    def shift(self) -> Tensor:
        """[C] float32, what is taken from images."""
        return self.mean if self.images.dtype == torch.uint8 else torch.zeros_like(self.mean)

    @property
    def scale(self) -> float:
        """What that is divided by."""
        return _SCALE if self.images.dtype == torch.uint8 else 1.0

    @property
    def bytes_per_example(self) -> int:
        """Bytes of one normalised input."""
        return 4 * self.images[0, 0].numel()

    def select(self, networks: Sequence[int]) -> Self:
        """The inputs of these networks."""
        chosen = to_device(networks, self.source.device)
        subset = None if self.subset is None else self.subset[chosen]
        return type(self)(self.images, self.source[chosen], self.mean, subset, self._normalised)

    def head(self, count: int) -> Self:
        """The first `count` examples, or all if there are fewer."""
        if count >= self.count:
            return self
        if self.subset is not None:
            return type(self)(self.images, self.source, self.mean, self.subset[:, :count], self._normalised)
        return type(self)(self.images[:, :count], self.source, self.mean)

    def gather(self, index: Tensor) -> Tensor:
        """Normalised inputs [P, K, B, C, H, W] for example numbers [P, K, B] int64: P batches for each network."""
        if self.subset is not None:
            index = self.subset.expand(len(index), -1, -1).gather(2, index)
        versions, examples = self.images.shape[:2]
        rows = index + (self.source * examples)[:, None] if versions > 1 else index
        table = self._table()
        taken = table.index_select(0, rows.reshape(-1))
        if taken.dtype == torch.uint8:
            taken = self._normalise(taken)
        return taken.view(*index.shape, *self.images.shape[2:])

    def slice(self, start: int, stop: int) -> Tensor:
        """Normalised inputs [K, stop − start, C, H, W] of consecutive examples; never write to them."""
        if self.subset is not None:
            own = torch.arange(start, stop, device=self.subset.device).expand(1, len(self.subset), -1)
            return self.gather(own)[0]
        part = self.images[:, start:stop]
        normal = self._normalise(part.flatten(0, 1)).view(part.shape)
        if normal.shape[0] == 1:
            return normal.expand(len(self.source), *normal.shape[1:])
        return normal.index_select(0, self.source)

    def _table(self) -> Tensor:
        """[S · n, C, H, W], normalised if small."""
        flat = self.images.flatten(0, 1)
        if flat.dtype != torch.uint8 or 4 * flat.numel() > kept_bytes(flat.device, _KEEP_BYTES):
            return flat
        if not self._normalised:
            self._normalised.append(self._normalise(flat))
        return self._normalised[0]

    def _normalise(self, images: Tensor) -> Tensor:
        if images.dtype != torch.uint8:
            return images
        return images.float().sub_(self.mean[:, None, None]).div_(_SCALE)
