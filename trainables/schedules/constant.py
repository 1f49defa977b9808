"""The learning rate stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.training.recipes import Schedule

if TYPE_CHECKING:
    from trainables.config import TrainingConfig


class Constant(Schedule):
    """No schedule."""

    def factor(self, recipe: TrainingConfig, share: float) -> float:
        """1."""
        return 1.0


ENTRY = Constant
