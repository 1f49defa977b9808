"""Half a cosine wave, from the peak rate at the start towards 0 at the end.

Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trainables.training.recipes import Schedule

if TYPE_CHECKING:
    from trainables.config import TrainingConfig


class Cosine(Schedule):
    """As `torch.optim.lr_scheduler.CosineAnnealingLR` down to 0."""

    def factor(self, recipe: TrainingConfig, share: float) -> float:
        """½(1 + cos(π · share))."""
        return 0.5 * (1 + math.cos(math.pi * share))


ENTRY = Cosine
