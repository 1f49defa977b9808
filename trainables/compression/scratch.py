"""The scratch arm: fresh networks beside those that recovered or were distilled.

How fast a small network learns the labels from nothing is not how far the large one could be compressed; this arm
shows how much of a curve is the former.
"""

import math

from trainables.bench import Bench
from trainables.compression.interfaces import Compressed, Level
from trainables.compression.masks import masked
from trainables.pausing import Pausing
from trainables.training.loop import Training


def train_scratch(bench: Bench, level: Level, compressed: Compressed) -> Pausing[Training]:
    """Fresh networks of the level's sizes, trained on the given labels for as long as `compressed` has trained.

    Where networks are masked these have the same masks: a lottery ticket's own control, fresh weights in its places.

    Initial weights have draws of their own; a replicate's and its control's are equal. Epochs count from the dense
    networks on (finetune: over all levels so far) or from where the level's weights were last drawn; where those were
    taken from a training under way (`compression.rewind_to`) its epochs up to there, rounded up, are added.
    Optimizer, rate, schedule and batch size are those of the level's own training.
    """
    widths = compressed.scratch_widths or level.widths
    fresh = masked(bench.fresh(widths, "scratch", level.number), compressed.masks)
    recipe = compressed.recipe or bench.fixed_recipe(1)
    before = math.ceil(bench.config.compression.rewind_to)
    budget = recipe.model_copy(update={"epochs": compressed.epochs + before})
    return (yield from bench.fit("scratch", fresh, bench.train_examples, budget, compressed.masks))
