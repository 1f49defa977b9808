"""What all trials of a study must share to be comparable is fixed before the study exists."""

import math
from collections.abc import Callable

from search_spaces.space import SearchSpace
from study.config import StudyConfig
from study.errors import UsageError
from study.settings.corners import corners, sized_corners
from study.settings.machine import DataSets

SHORT_LOG2_RATIO = 3.0
_SIZES = ("model.", "compression.", "data.name")
_RATIO = ("compression.method", "compression.ratio")
_LIMIT = "compression.auc_log2_ratio"


def freeze_config(config: StudyConfig, message: Callable[[str], None], data: DataSets | None = None) -> StudyConfig:
    """`config` with everything fixed that all trials must share.

    Where some methods only give parameters fewer bits (quantize, share), all curves are drawn against description
    lengths. With those, with `compression.rate`, or where some networks can't reach the target (narrow ones can't lose
    that many units, some methods need a few numbers for each layer), networks reach different ratios; the area under
    their curves is comparable only up to the smallest of them.

    Args:
        data: Of the study, as far as they are known to be there.
    Raises:
        UsageError: The study spans the ratio itself.
    """
    config, by_description = _one_ratio(config, message)
    if config.space.base.get(_LIMIT) is not None:
        return config
    from trainables.compression.reach import reached_log2_ratio

    (data or DataSets()).prepare(config)  # the first layer is as wide as the inputs
    reached = [(reached_log2_ratio(trial, *size), trial) for trial, size in sized_corners(config, _SIZES)]
    shortest, trial = min(reached, key=lambda found: found[0])
    if not by_description and not _spans_rate(config.space):
        wanted = min(math.log2(trial.compression.target_ratio or math.inf) for _, trial in reached)
        if shortest >= wanted:
            return config
        message(
            f"compression.target_ratio={2**wanted:g} is more than some trials reach, {2**shortest:.1f} with "
            f"model.width={trial.model.width} and method={trial.compression.method}: compressibility is measured up to "
            "there"
        )
    if shortest < SHORT_LOG2_RATIO:
        further = "compress further" if by_description else "raise compression.depth, or widths"
        message(
            f"the last level reaches a ratio of only {2**shortest:.1f} for some trials: their compressibility is "
            f"measured over a short curve; {further}"
        )
    # Rounded down, so that each of them really reaches it.
    return config.model_copy(update={"space": config.space.fix({_LIMIT: int(shortest * 1e6) / 1e6})})


def _one_ratio(config: StudyConfig, message: Callable[[str], None]) -> tuple[StudyConfig, bool]:
    """The study with one ratio for all curves, and whether it is that of description lengths."""
    ratios = {trial.compression.curve_ratio: trial.compression.method for trial in corners(config, _RATIO)}
    if "description_length" not in ratios:
        return config, False
    if len(ratios) > 1:
        if "compression.ratio" in config.space.span:
            raise UsageError(
                "compression.ratio is spanned, but curves against different ratios can't be compared in one study; "
                "fix it, e.g. --set compression.ratio=description_length"
            )
        message(
            f"method={ratios['description_length']} leaves the parameter count as it is, method={ratios['parameters']} "
            "does not: all curves are drawn against description lengths (compression.ratio=description_length)"
        )
        space = config.space.fix({"compression.ratio": "description_length"})
        config = config.model_copy(update={"space": space})
    return config, True


def _spans_rate(space: SearchSpace) -> bool:
    return "compression.rate" in space.span or space.base.get("compression.rate") is not None
