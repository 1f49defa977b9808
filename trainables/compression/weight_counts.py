"""How many single weights each level keeps. Torch-free, like the widths of levels."""

import math
from collections.abc import Callable

from trainables.compression.methods.prune import Prune
from trainables.compression.sizing import ROUNDING, target_at
from trainables.config import TrialConfig
from trainables.stack.interfaces import Shape, model_of


def level_weights(config: TrialConfig, input_shape: Shape, num_classes: int) -> tuple[Shape, ...]:
    """Single weights kept at levels 0 (dense) … depth: with `scope=layer` of each matrix and kernel, else altogether.

    Each level drops the same share of what is left in every layer, of the output layer `prune.output_rate` of that
    share, rounded up. The share is `rate`, or with `target_ratio` the smallest at which the parameter ratio reaches
    target_ratio^(l/depth). Biases and batch norm stay and count. Never below one weight a layer. With `scope=global`
    the output layer competes like any other; `prune.output_rate=0` keeps it out, whole, and it is not counted here.
    """
    model, compression = model_of(config), config.compression
    dense = model.widths(config.model)
    layers = model.weight_counts(dense, input_shape, num_classes)
    others = model.parameter_count(dense, input_shape, num_classes) - sum(layers)
    output = Prune.model_validate(compression.options("prune")).output_rate
    counts, least = layers, 1
    if compression.scope == "global":
        if output == 0:
            layers, others = layers[:-1], others + layers[-1]
        counts, least, output = (sum(layers),), len(layers), 1.0

    def prune(before: Shape, share: float) -> Shape:
        *hidden, last = before
        shares = [(n, share) for n in hidden] + [(last, share * output)]
        return tuple(max(least, n - math.ceil(n * p - ROUNDING)) for n, p in shares)

    levels = [counts]
    for level in range(1, compression.depth + 1):
        before, share = levels[-1], compression.rate
        if share is None:
            allowed = (others + sum(layers)) / target_at(compression, level) - others
            share = _smallest_share(prune, before, allowed)
        levels.append(prune(before, share))
    return tuple(levels)


def _smallest_share(pruned: Callable[[Shape, float], Shape], before: Shape, allowed: float) -> float:
    """The share to be dropped so that at most `allowed` weights stay, to the last bit; 1 where none suffices."""
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        low, high = (low, middle) if sum(pruned(before, middle)) <= allowed else (middle, high)
    return high
