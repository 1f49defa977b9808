"""How wide each level is. Torch-free: a study plans with it before anything is trained."""

import math
from bisect import bisect_left
from collections.abc import Callable

from trainables.compression.interfaces import METHODS
from trainables.config import CompressionConfig, TrialConfig
from trainables.interfaces import MODELS, Model, Shape

# 0.8 · 10 is 8 units, whatever its last bit says.
_ROUNDING = 1e-9


def model_of(config: TrialConfig) -> Model:
    """The model with the fields given for it."""
    return MODELS.get(config.model.name).model_validate(config.model.options(config.model.name))


def level_widths(config: TrialConfig, input_shape: Shape, num_classes: int) -> tuple[Shape, ...]:
    """Widths of levels 0 (dense) … depth.

    With `target_ratio`: level l keeps the largest share of units, common to all groups and rounded down in each but
    never below one unit, at which the parameter ratio reaches target_ratio^(l/depth). With `rate`: each level keeps
    1 − rate of the units of the last, rounded down, never below one. Networks that keep their shape keep their widths.

    Args:
        config: Of the trial.
        input_shape: [C, H, W] of one example.
        num_classes: Outputs, which are never cut.
    """
    model, compression = model_of(config), config.compression
    dense = model.widths(config.model)
    if keeps_shape(compression):
        return (dense,) * (compression.depth + 1)
    if compression.rate is not None:
        return _by_rate(dense, compression.rate, compression.depth)
    return shrunk_widths(config, input_shape, num_classes)


def keeps_shape(compression: CompressionConfig) -> bool:
    """Whether networks keep their shape (what is dropped is 0, or factors are multiplied out) instead of shrinking."""
    first = compression.methods[0]
    masks = first == "prune" and (compression.granularity == "weight" or compression.scope == "global")
    return masks or METHODS.get(first).keeps_widths


def target_at(compression: CompressionConfig, level: float) -> float:
    """The parameter ratio to be reached at a level (or between two) on the way to `target_ratio`."""
    target: float = float(compression.target_ratio or 1.0) ** (level / compression.depth)
    return target * (1 - _ROUNDING)


def between(start: int, end: int, share: float) -> int:
    """start · (end/start)^share, rounded up; exactly `end` at share 1."""
    return end if share == 1 else max(end, math.ceil(start * (end / start) ** share))


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
    output = output_rate(compression)
    counts, least = layers, 1
    if compression.scope == "global":
        if output == 0:
            layers, others = layers[:-1], others + layers[-1]
        counts, least, output = (sum(layers),), len(layers), 1.0

    def pruned(before: Shape, share: float) -> Shape:
        *hidden, last = before
        shares = [(n, share) for n in hidden] + [(last, share * output)]
        return tuple(max(least, n - math.ceil(n * p - _ROUNDING)) for n, p in shares)

    levels = [counts]
    for level in range(1, compression.depth + 1):
        before, share = levels[-1], compression.rate
        if share is None:
            allowed = (others + sum(layers)) / target_at(compression, level) - others
            share = _smallest_share(pruned, before, allowed)
        levels.append(pruned(before, share))
    return tuple(levels)


def output_rate(compression: CompressionConfig) -> float:
    """Rate at which single weights of the output layer go, over that of the other layers."""
    from trainables.compression.methods.prune import Prune

    return Prune.model_validate(compression.options("prune")).output_rate


def _smallest_share(pruned: Callable[[Shape, float], Shape], before: Shape, allowed: float) -> float:
    """The share to be dropped so that at most `allowed` weights stay, to the last bit; 1 where none suffices."""
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        low, high = (low, middle) if sum(pruned(before, middle)) <= allowed else (middle, high)
    return high


def _by_rate(dense: Shape, rate: float, depth: int) -> tuple[Shape, ...]:
    levels = [dense]
    for _ in range(depth):
        levels.append(tuple(max(1, math.floor(width * (1 - rate) + _ROUNDING)) for width in levels[-1]))
    return tuple(levels)


def shrunk_widths(config: TrialConfig, input_shape: Shape, num_classes: int) -> tuple[Shape, ...]:
    """Widths of ordinary networks that reach the parameter ratio of each level, whatever the method."""
    model, compression = model_of(config), config.compression
    dense = model.widths(config.model)
    shares = sorted({units / width for width in dense for units in range(1, width + 1)}, reverse=True)
    total = model.parameter_count(dense, input_shape, num_classes)

    def widths(share: float) -> Shape:
        return tuple(max(1, math.floor(share * width + _ROUNDING)) for width in dense)

    def ratio(share: float) -> float:
        return total / model.parameter_count(widths(share), input_shape, num_classes)

    levels = [dense]
    for level in range(1, compression.depth + 1):
        wanted = target_at(compression, level)
        place = min(bisect_left(shares, wanted, key=ratio), len(shares) - 1)
        levels.append(widths(shares[place]))
    return tuple(levels)
