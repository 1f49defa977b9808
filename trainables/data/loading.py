"""From a configuration to a split in memory, once per process."""

from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from trainables.config import DataConfig
from trainables.data.identity import data_identity
from trainables.data.interfaces import dataset_of
from trainables.data.raw import Images, RawData
from trainables.data.shared import shared_split
from trainables.data.splits import Split, Take, split, split_sizes
from trainables.errors import DataUnavailable

# Examples that are enough to see that a data set is not constant.
_LOOKED_AT = 100


def prepare(config: DataConfig, data_dir: Path) -> tuple[int, int, int]:
    """Makes sure that the data are there and large enough, before any work starts.

    Downloads what can be downloaded. Quick where the data are on disk: MNIST-like sets are only mapped.

    Returns:
        Sizes [train, val, test] that trials will have.
    Raises:
        DataUnavailable: The data set is neither in `data_dir` nor to be had, or all its examples are of one value.
        ValueError: The split asked for is larger than the data set.
    """
    dataset = dataset_of(config)
    raw = dataset.load(data_dir)
    if _is_constant(raw.images[:_LOOKED_AT]) and _is_constant(raw.images):
        raise DataUnavailable(
            f"all {len(raw.images):,} examples of {config.name} are the same, one value everywhere, so that nothing "
            "tells them apart; look at its files."
        )
    return split_sizes(config, dataset, raw)


def _is_constant(images: Images) -> bool:
    return bool(images.min() == images.max())


def load_split(config: DataConfig, seed: int, data_dir: Path) -> Split:
    """The split of a study, kept for the next trial of this process. Raises as `prepare`."""
    whole = config.model_dump(mode="json", include={"name", "train_size", "split"})
    own = {config.name: options} if (options := config.options(config.name)) else {}
    untouched = DataConfig.model_validate(whole | own)
    identity = data_identity(untouched, data_dir)
    return _load_split(untouched.model_dump_json(), seed, data_dir.absolute(), identity)


def example_files(config: DataConfig, seed: int, data_dir: Path) -> tuple[list[str], list[str]] | None:
    """Names of the files of a split's training and test examples; None where examples have no files of their own.

    Raises as `prepare`.
    """
    dataset = dataset_of(config)
    named = dataset.example_files(data_dir)
    if named is None:
        return None
    first, second = (None if names is None else np.arange(len(names)) for names in named)
    whole = dataset.load(data_dir)
    # Numbers of examples are cut into the same parts as images are.
    parts = split(config, dataset, replace(whole, images=first, test_images=second), seed)  # type: ignore[arg-type]
    own, test = named[0], named[0] if named[1] is None else named[1]
    return [own[int(n)] for n in parts.train_images], [test[int(n)] for n in parts.test_images]


# Two, so that a study which alternates between two training sizes reads from disk but twice.
@lru_cache(maxsize=2)
def _load_split(config_json: str, seed: int, data_dir: Path, identity: str) -> Split:
    config = DataConfig.model_validate_json(config_json)
    dataset = dataset_of(config)

    @cache
    def raw() -> RawData:
        return dataset.load(data_dir)

    def make(take: Take) -> Split:
        return split(config, dataset, raw(), seed, take)

    return shared_split(repr([config_json, seed, identity]), data_dir, make)
