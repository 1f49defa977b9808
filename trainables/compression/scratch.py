"""The scratch arm: fresh networks beside those that recovered or were distilled.

How fast a small network learns the labels from nothing is not how far the large one could be compressed; this arm
shows how much of a curve is the former.
"""

import math
from itertools import pairwise

from trainables.compression.interfaces import CompressionResult, Level
from trainables.compression.masks import apply_masks
from trainables.compression.pipeline import pipeline_of
from trainables.compression.recovery import epochs_at
from trainables.config import CompressionConfig, TrainingConfig
from trainables.pausing import Pausing
from trainables.training.loop import Training
from trainables.workspace import Workspace


def train_scratch(workspace: Workspace, level: Level, compressed: CompressionResult) -> Pausing[Training]:
    """Fresh networks of the level's sizes, trained on the given labels; how long says `compression.scratch_budget`.

    Where networks are masked these have the same masks: a lottery ticket's own control, fresh weights in its places.
    Initial weights have draws of their own; a replicate's and its control's are equal.
    """
    widths = compressed.scratch_widths or level.widths
    fresh = apply_masks(workspace.fresh(widths, "scratch", level.number), compressed.masks)
    return (
        yield from workspace.fit(
            "scratch", fresh, workspace.train_examples, _recipe(workspace, level, compressed), compressed.masks
        )
    )


def _recipe(workspace: Workspace, level: Level, compressed: CompressionResult) -> TrainingConfig:
    """How, and for how many epochs.

    - `recovery`: as `compressed` was trained: its optimizer, rate, schedule and batch size. Epochs count from the dense
      networks on (finetune: over all levels so far) or from where the level's weights were last drawn; where those were
      taken from a training under way (`compression.rewind_to`) its epochs up to there, rounded up, are added.
    - `dense`: as the dense networks were, for as many epochs as the one of them that took most: a small network trained
      the usual way (Scratch-E of Liu et al. 2019, arXiv:1810.05270). Without a stop rule, so that budgets are equal.
    - `total`: likewise, and for all that came after it on the way to the level as well.
    """
    config = workspace.config
    if config.compression.scratch_budget == "recovery":
        before = math.ceil(config.compression.rewind_to)
        recipe = compressed.recipe or workspace.fixed_recipe(1)
        return recipe.model_copy(update={"epochs": compressed.epochs + before})
    epochs = max(workspace.progress.kept_values["dense"]["epochs"])
    if config.compression.scratch_budget == "total":
        epochs += epochs_on_the_way(config.compression, level.number)
    usual = {"schedule": config.training.schedule, "warmup_epochs": config.training.warmup_epochs}
    return workspace.fixed_recipe(epochs).model_copy(update=usual)


def epochs_on_the_way(compression: CompressionConfig, level: int) -> int:
    """Epochs trained between the dense networks and those of a level, by the method and by the recoveries."""
    maker, total, depth = pipeline_of(compression).maker, compression.recovery_epochs, compression.depth
    recovery = sum(epochs_at(total, depth, number) for number in range(1, level + 1))
    return recovery + (maker.epochs_to(level) if maker else 0)


def epochs_of_all_levels(compression: CompressionConfig) -> int:
    """Epochs that making and recovering all levels takes, without those of fresh networks."""
    maker, depth = pipeline_of(compression).maker, compression.depth
    to = [maker.epochs_to(level) if maker else 0 for level in range(1, depth + 1)]
    # A level that goes on from the one before counts its epochs too; one that starts anew does not.
    makes = sum(now - before if now > before else now for before, now in pairwise([0, *to]))
    return compression.recovery_epochs + makes
