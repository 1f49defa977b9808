"""Learning rate over a training."""

import math

from trainables.config import TrainingConfig


def learning_rate(recipe: TrainingConfig, epoch: int, batch: int = 0, batches: int = 1) -> float:
    """Rate of step `batch` = 0, 1, … of epoch `epoch` = 0, 1, …, an epoch being `batches` steps.

    `constant`: lr. `cosine`: lr · ½(1 + cos(π · share)), from lr in the first epoch towards 0. `step`: lr ·
    step_factor^(entries of step_at that are ≤ share). `share` is how much of the training lay before this epoch: all
    its steps have one rate, but for the first `warmup_epochs`, over which the rate rises linearly, step by step, to
    what the schedule says.
    """
    epochs = recipe.epochs if recipe.steps is None else recipe.steps / batches
    rate = recipe.lr * _scheduled(recipe, epoch / epochs)
    warmup = recipe.warmup_epochs * batches
    return rate * min(1.0, (epoch * batches + batch + 1) / warmup) if warmup else rate


def _scheduled(recipe: TrainingConfig, share: float) -> float:
    if recipe.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * share))
    if recipe.schedule == "step":
        return recipe.step_factor ** sum(at <= share for at in recipe.step_at)
    return 1.0
