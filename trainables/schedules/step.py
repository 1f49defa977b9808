"""The learning rate drops by a factor at some moments, `step_factor` at each share of the training in `step_at`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.training.recipes import Schedule

if TYPE_CHECKING:
    from trainables.config import TrainingConfig

# 0.3 of 10 steps is step 3, whatever its last bit says.
_ROUNDING = 1e-9


class Step(Schedule):
    """As `torch.optim.lr_scheduler.MultiStepLR`."""

    def factor(self, recipe: TrainingConfig, share: float) -> float:
        """step_factor^(entries of step_at that are ≤ share)."""
        return recipe.step_factor ** sum(at <= share + _ROUNDING for at in recipe.step_at)


ENTRY = Step
