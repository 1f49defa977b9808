"""When each network learned each example, and how often it forgot it, as its training saw it."""

from typing import Any

import torch
from torch import Tensor


class Learning:
    """What K networks answered to each of n examples whenever it came in a batch, before the step that followed.

    Attributes:
        right: [K, n] bool, whether the last answer was right.
        learned: [K, n] int16, the first epoch (from 1) in which it was; 0: none.
        forgotten: [K, n] int16, how often an answer was wrong where the one before was right.

    References:
        Toneva et al. 2019, arXiv:1812.05159: forgetting events.
    """

    def __init__(self, networks: int, examples: int, device: torch.device) -> None:
        self.right = torch.zeros(networks, examples, dtype=torch.bool, device=device)
        self.learned = torch.zeros(networks, examples, dtype=torch.int16, device=device)
        self.forgotten = torch.zeros_like(self.learned)
        self._now = torch.zeros_like(self.right)

    def note(self, networks: Tensor, index: Tensor, right: Tensor) -> None:
        """Takes note of a chunk of batches; no network has an example twice in an epoch.

        Args:
            networks: [A], which of the K they are.
            index, right: [P, A, B], examples and whether the answers were right.
        """
        rows, at = networks[:, None], index.transpose(0, 1).flatten(1)
        self._now[rows, at] = right.transpose(0, 1).flatten(1)

    def end_epoch(self, epoch: int) -> None:
        """Compares the answers of an epoch (from 1) with those before; what did not come in it stays as it was."""
        self.learned.masked_fill_(self._now & (self.learned == 0), epoch)
        self.forgotten += self.right & ~self._now
        self.right.copy_(self._now)

    def state(self) -> dict[str, Tensor]:
        """For a checkpoint."""
        return {name: tensor for name, tensor in vars(self).items() if name != "_now"}

    def restore(self, state: dict[str, Any]) -> None:
        """Continues from a `state`."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])
        self._now.copy_(self.right)
