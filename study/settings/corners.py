"""The trials of a study that differ in what matters for a question, without running through all of its space."""

import itertools
from collections.abc import Iterator

from study.config import StudyConfig
from trainables.config import TrialConfig
from trainables.stack.interfaces import Shape


def corners(config: StudyConfig, names: tuple[str, ...]) -> Iterator[TrialConfig]:
    """A trial for every combination of the spanned values (of ranges: the ends) of names that begin like this."""
    space = config.space
    first = {name: spanned.corners()[0] for name, spanned in space.span.items()}
    deciding = [name for name in space.span if name.startswith(names)]
    for values in itertools.product(*(space.span[name].corners() for name in deciding)):
        point = space.active({**first, **dict(zip(deciding, values, strict=True))})
        yield space.config(point, config.seed)
    for point in config.configurations:
        yield space.config(space.active({**first, **point}), config.seed)


def sized_corners(config: StudyConfig, names: tuple[str, ...]) -> Iterator[tuple[TrialConfig, tuple[Shape, int]]]:
    """These trials, each with the shape [C, H, W] of its examples and its number of classes.

    The data have to be there; each set is read once.
    """
    from trainables.data.interfaces import dataset_of

    sizes: dict[str, tuple[Shape, int]] = {}
    for trial in corners(config, names):
        data = trial.data.model_dump_json()
        if data not in sizes:
            raw = dataset_of(trial.data).load(config.run.data_path)
            sizes[data] = tuple(raw.images.shape[1:]), raw.num_classes
        yield trial, sizes[data]
