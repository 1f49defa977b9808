"""What all trials of a study must share to be comparable is fixed before the study exists."""

import itertools
import math
from collections.abc import Callable, Iterator

from search_spaces.space import SearchSpace
from study.config import StudyConfig
from study.errors import UsageError
from study.settings import machine
from trainables.config import TrialConfig

SHORT_LOG2_RATIO = 3.0
_SIZES = ("model.", "compression.", "data.name")
_RATIO = ("compression.method", "compression.ratio")
_LIMIT = "compression.auc_log2_ratio"


def frozen(config: StudyConfig, message: Callable[[str], None]) -> StudyConfig:
    """`config` with everything fixed that all trials must share.

    Where some methods only give parameters fewer bits (quantize, share), all curves are drawn against description
    lengths. With those, with `compression.rate`, or where a method can't reach the target, networks reach different
    ratios; the area under their curves is comparable only up to the smallest of them.

    Raises:
        UsageError: The study spans the ratio itself.
    """
    config, by_description = _one_ratio(config, message)
    trials = list(_corners(config, _RATIO))
    formed = [trial.compression.method for trial in trials if _forms(trial)]
    limited = by_description or formed or _spans_rate(config.space)
    if not limited or config.space.base.get(_LIMIT) is not None:
        return config
    machine.prepare_data(config)  # the first layer is as wide as the inputs
    corners = list(_corners(config, _SIZES))
    shortest = min(_reached(trial, config) for trial in corners)
    if not by_description and not _spans_rate(config.space):
        wanted = min(math.log2(trial.compression.target_ratio or math.inf) for trial in corners)
        if shortest >= wanted:
            return config
        message(
            f"compression.target_ratio={2**wanted:g} is more than method={formed[0]} reaches for some trials, "
            f"{2**shortest:.1f}: compressibility is measured up to there"
        )
    if shortest < SHORT_LOG2_RATIO:
        further = "compress further" if by_description else "raise compression.depth"
        message(
            f"the last level reaches a ratio of only {2**shortest:.1f} for some trials: their compressibility is "
            f"measured over a short curve; {further}"
        )
    # Rounded down, so that each of them really reaches it.
    return config.model_copy(update={"space": config.space.fix({_LIMIT: int(shortest * 1e6) / 1e6})})


def _one_ratio(config: StudyConfig, message: Callable[[str], None]) -> tuple[StudyConfig, bool]:
    """The study with one ratio for all curves, and whether it is that of description lengths."""
    ratios = {trial.compression.curve_ratio: trial.compression.method for trial in _corners(config, _RATIO)}
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


def _reached(trial: TrialConfig, config: StudyConfig) -> float:
    from trainables.compression.reach import reached_log2_ratio
    from trainables.data.loading import dataset_of

    raw = dataset_of(trial.data).load(config.run.data_path)
    _, *shape = raw.images.shape
    return reached_log2_ratio(trial, (shape[0], shape[1], shape[2]), raw.num_classes)


def _forms(trial: TrialConfig) -> bool:
    from trainables.compression.reach import forms

    return forms(trial)


def _spans_rate(space: SearchSpace) -> bool:
    return "compression.rate" in space.span or space.base.get("compression.rate") is not None


def _corners(config: StudyConfig, names: tuple[str, ...]) -> Iterator[TrialConfig]:
    """A trial for every combination of the spanned values of names that begin like this."""
    space = config.space
    first = {name: spanned.corners()[0] for name, spanned in space.span.items()}
    deciding = [name for name in space.span if name.startswith(names)]
    for values in itertools.product(*(space.span[name].corners() for name in deciding)):
        point = space.active({**first, **dict(zip(deciding, values, strict=True))})
        yield space.config(point, config.seed)
    for point in config.configurations:
        yield space.config(space.active({**first, **point}), config.seed)
