"""Learning rate over epochs."""

import math

from trainables.config import TrainingConfig


def learning_rate(recipe: TrainingConfig, epoch: int) -> float:
    """Rate of epoch `epoch` = 0, 1, …, the same for all its steps.

    `constant`: lr. `cosine`: lr · ½(1 + cos(π · epoch/epochs)), from lr in the first epoch towards 0.
    """
    if recipe.schedule == "constant":
        return recipe.lr
    return recipe.lr * 0.5 * (1 + math.cos(math.pi * epoch / recipe.epochs))
