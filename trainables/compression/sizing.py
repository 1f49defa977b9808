"""How wide each level is. Torch-free: a study plans with it before anything is trained."""

import math
from bisect import bisect_left

from trainables.compression.pipeline import pipeline_of
from trainables.config import CompressionConfig, TrialConfig
from trainables.stack.interfaces import Shape, model_of

# 0.8 · 10 is 8 units, whatever its last bit says.
ROUNDING = 1e-9


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
    first = pipeline_of(compression).methods[0]
    return first.keeps_widths or first.masks(compression) is not None


def target_at(compression: CompressionConfig, level: float) -> float:
    """The parameter ratio to be reached at a level (or between two) on the way to `target_ratio`."""
    target: float = float(compression.target_ratio or 1.0) ** (level / compression.depth)
    return target * (1 - ROUNDING)


def interpolate_geometrically(start: int, end: int, share: float) -> int:
    """start · (end/start)^share, rounded up; exactly `end` at share 1."""
    return end if share == 1 else max(end, math.ceil(start * (end / start) ** share))


def _by_rate(dense: Shape, rate: float, depth: int) -> tuple[Shape, ...]:
    levels = [dense]
    for _ in range(depth):
        levels.append(tuple(max(1, math.floor(width * (1 - rate) + ROUNDING)) for width in levels[-1]))
    return tuple(levels)


def shrunk_widths(config: TrialConfig, input_shape: Shape, num_classes: int) -> tuple[Shape, ...]:
    """Widths of ordinary networks that reach the parameter ratio of each level, whatever the method."""
    model, compression = model_of(config), config.compression
    dense = model.widths(config.model)
    shares = sorted({units / width for width in dense for units in range(1, width + 1)}, reverse=True)
    total = model.parameter_count(dense, input_shape, num_classes)

    def widths(share: float) -> Shape:
        return tuple(max(1, math.floor(share * width + ROUNDING)) for width in dense)

    def ratio(share: float) -> float:
        return total / model.parameter_count(widths(share), input_shape, num_classes)

    levels = [dense]
    for level in range(1, compression.depth + 1):
        wanted = target_at(compression, level)
        place = min(bisect_left(shares, wanted, key=ratio), len(shares) - 1)
        levels.append(widths(shares[place]))
    return tuple(levels)
