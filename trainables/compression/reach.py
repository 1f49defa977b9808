"""How far the curves of a trial reach, known before anything is trained."""

import math
from typing import Literal

from trainables.compression.combinations import has_batch_norm
from trainables.compression.pipeline import pipeline_of
from trainables.compression.sizing import level_widths
from trainables.compression.weight_counts import level_weights
from trainables.config import TrialConfig
from trainables.stack.interfaces import Shape, model_of

_FLOAT, _SEED = 32, 64


def auc_log2_ratio(config: TrialConfig, input_shape: Shape, num_classes: int) -> float:
    """L of `compressibility/auc`: as configured, else log₂(target_ratio) or what this trial reaches of it.

    Of curves against description lengths it is what the trial reaches at least, whatever its weights will be.
    """
    compression = config.compression
    if compression.auc_log2_ratio is not None:
        return compression.auc_log2_ratio
    if compression.curve_ratio == "parameters" and compression.target_ratio is not None:
        wanted = math.log2(compression.target_ratio)
        return min(wanted, reached_log2_ratio(config, input_shape, num_classes)) if forms(config) else wanted
    return reached_log2_ratio(config, input_shape, num_classes)


def reached_log2_ratio(config: TrialConfig, input_shape: Shape, num_classes: int) -> float:
    """log₂ of the curve's ratio at the last level, rounding included; of description lengths a lower bound."""
    dense = model_of(config).parameter_count(model_of(config).widths(config.model), input_shape, num_classes)
    if config.compression.curve_ratio == "parameters":
        if _masks(config) == "units" and config.compression.target_ratio is not None:
            return math.log2(config.compression.target_ratio)
        return math.log2(dense / sum(_numbers_left(config, input_shape, num_classes)))
    most = _most_bits(config, input_shape, num_classes)
    return max(math.log2(_FLOAT * dense / most), 1e-3)


def _numbers_left(config: TrialConfig, input_shape: Shape, num_classes: int) -> tuple[int, int]:
    """Numbers that a network of the last level has: those that weights are made of, and all others."""
    model, compression = model_of(config), config.compression
    levels = level_widths(config, input_shape, num_classes)
    weights = model.weight_counts(levels[-1], input_shape, num_classes)
    others = model.parameter_count(levels[-1], input_shape, num_classes) - sum(weights)
    left = sum(weights)
    if _masks(config) == "weights":
        first, *_, last = level_weights(config, input_shape, num_classes)
        left = sum(last) + sum(weights) - sum(first)  # an output layer that stays whole is not among them
    formed = forms(config)
    global_units = _masks(config) == "units"
    if (formed or global_units) and compression.target_ratio is not None:
        left = math.floor((left + others) / compression.target_ratio) - (0 if global_units else others)
    if formed:
        left = max(left, _least_formed(config, levels[-1], input_shape, num_classes) - others)
    return max(left, 1), others


def forms(config: TrialConfig) -> bool:
    """Whether weights are made of fewer numbers, of which each layer needs some."""
    return any(method.stage == "form" for method in pipeline_of(config.compression).methods)


def _least_formed(config: TrialConfig, widths: Shape, input_shape: Shape, num_classes: int) -> int:
    from trainables.seeding import generator

    stack = model_of(config).build(config.model, widths, input_shape, num_classes, [generator(0, "sizes alone")])
    (method,) = [method for method in pipeline_of(config.compression).methods if method.stage == "form"]
    return method.least_parameters(stack)


def _most_bits(config: TrialConfig, input_shape: Shape, num_classes: int) -> float:
    """Bits that the description of a network of the last level has at most."""
    compression, model = config.compression, model_of(config)
    pipeline = pipeline_of(compression)
    left, others = _numbers_left(config, input_shape, num_classes)
    widths = level_widths(config, input_shape, num_classes)[-1]
    counts = model.weight_counts(widths, input_shape, num_classes)
    normalised = has_batch_norm(config.model.name)
    formed = forms(config)
    parts = len(counts) * (2 if formed else 1)
    word, books = float(_FLOAT), 0.0
    for method in pipeline.rewritings:
        if method.stage == "code":
            word, floats = method.words(compression.depth)
            groups = method.code_books(parts, sum(widths) + num_classes)
            books = groups * _FLOAT * floats + parts * (24 + 2 * _gamma(2**word) + _gamma(groups))
    total = word * left + _FLOAT * others * (2 if normalised else 1) + books + _SEED
    # Dimensions and formats, of parts and of biases and batch norm; Σ log₂ of dimensions is log₂ of the numbers.
    total += parts * (20 + _gamma(max(counts))) + len(counts) * (5 if normalised else 1) * (8 + _gamma(max(counts)))
    if _masks(config) == "weights" or any(method.keeps_places for method in pipeline.rewritings):
        total += parts * (6 + _gamma(left)) + _mask_bits(sum(counts), left)
    return total


def _gamma(value: float) -> float:
    """Bits of Elias's code of a whole number ≥ 1, at most."""
    return 2 * math.log2(value + 1) + 1


def _mask_bits(count: int, left: int) -> float:
    """Bits of Rice's code with one parameter for all, at its best; a parameter for each part does no worse."""
    return min(left * (1.0 + b) + (count - left) / (1 << b) for b in range(31))


def _masks(config: TrialConfig) -> Literal["weights", "units"] | None:
    return pipeline_of(config.compression).masks(config.compression)
