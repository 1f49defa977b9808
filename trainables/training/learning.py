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

    def note(self, networks: Tensor, index: Tensor, right: Tensor, epoch: int) -> None:
        """Takes note of a chunk of batches, in which no network has an example twice.

        Args:
            networks: [A], which of the K they are.
            index, right: [P, A, B], examples and whether the answers were right.
            epoch: From 1.
        """
        rows, at, now = networks[:, None], index.transpose(0, 1).flatten(1), right.transpose(0, 1).flatten(1)
        first = self.learned[rows, at]
        self.learned[rows, at] = torch.where(now & (first == 0), epoch, first).to(torch.int16)
        self.forgotten[rows, at] += (self.right[rows, at] & ~now).to(torch.int16)
        self.right[rows, at] = now

    def state(self) -> dict[str, Tensor]:
        """For a checkpoint."""
        return dict(vars(self))

    def restore(self, state: dict[str, Any]) -> None:
        """Continues from a `state`."""
        for name, tensor in vars(self).items():
            tensor.copy_(state[name])
