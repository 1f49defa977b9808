"""How wide each level is. Torch-free: a study plans with it before anything is trained."""

import math
from bisect import bisect_left

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
    1 − rate of the units of the last, rounded down, never below one.

    Args:
        config: Of the trial.
        input_shape: [C, H, W] of one example.
        num_classes: Outputs, which are never cut.
    """
    model, compression = model_of(config), config.compression
    dense = model.widths(config.model)
    if compression.rate is not None:
        return _by_rate(dense, compression.rate, compression.depth)
    return _by_ratio(model, dense, compression, input_shape, num_classes)


def _by_rate(dense: Shape, rate: float, depth: int) -> tuple[Shape, ...]:
    levels = [dense]
    for _ in range(depth):
        levels.append(tuple(max(1, math.floor(width * (1 - rate) + _ROUNDING)) for width in levels[-1]))
    return tuple(levels)


def _by_ratio(
    model: Model, dense: Shape, compression: CompressionConfig, input_shape: Shape, num_classes: int
) -> tuple[Shape, ...]:
    target = float(compression.target_ratio or 1.0)
    shares = sorted({units / width for width in dense for units in range(1, width + 1)}, reverse=True)
    total = model.parameter_count(dense, input_shape, num_classes)

    def widths(share: float) -> Shape:
        return tuple(max(1, math.floor(share * width + _ROUNDING)) for width in dense)

    def ratio(share: float) -> float:
        return total / model.parameter_count(widths(share), input_shape, num_classes)

    levels = [dense]
    for level in range(1, compression.depth + 1):
        wanted = target ** (level / compression.depth) * (1 - _ROUNDING)
        place = min(bisect_left(shares, wanted, key=ratio), len(shares) - 1)
        levels.append(widths(shares[place]))
    return tuple(levels)


def reached_log2_ratio(config: TrialConfig, input_shape: Shape, num_classes: int) -> float:
    """log₂ of the parameter ratio at the last level, rounding included: how far the trial's curves reach."""
    model, levels = model_of(config), level_widths(config, input_shape, num_classes)
    dense, last = (model.parameter_count(widths, input_shape, num_classes) for widths in (levels[0], levels[-1]))
    return math.log2(dense / last)


def auc_log2_ratio(config: TrialConfig, input_shape: Shape, num_classes: int) -> float:
    """L of `compressibility/auc`: as configured, else log₂(target_ratio), else what this trial reaches."""
    compression = config.compression
    if compression.auc_log2_ratio is not None:
        return compression.auc_log2_ratio
    if compression.target_ratio is not None:
        return math.log2(compression.target_ratio)
    return reached_log2_ratio(config, input_shape, num_classes)
