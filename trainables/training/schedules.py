"""Learning rate over a training."""

from trainables.config import TrainingConfig
from trainables.training.recipes import schedule_of


def learning_rate(
    recipe: TrainingConfig, epoch: int, batch: int = 0, batches: int = 1, *, by_epoch: bool = False
) -> float:
    """Rate of step `batch` = 0, 1, … of epoch `epoch` = 0, 1, …, an epoch being `batches` steps.

    The schedule goes by the share of the training's steps that lie before this one. Over the first `warmup_epochs` the
    rate rises linearly, step by step, to what the schedule says.

    Args:
        by_epoch: Whether the schedule stands still within an epoch, as it did in studies of earlier versions.
    """
    step = epoch * batches + batch
    steps = recipe.epochs * batches if recipe.steps is None else recipe.steps
    rate = recipe.lr * schedule_of(recipe).factor(recipe, (epoch * batches if by_epoch else step) / steps)
    warmup = recipe.warmup_epochs * batches
    return rate * min(1.0, (step + 1) / warmup) if warmup else rate
