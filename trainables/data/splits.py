"""Training, validation and test examples: disjoint, seeded by the study alone, so that all its trials share them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from trainables.config import DataConfig
from trainables.data.interfaces import Dataset
from trainables.data.raw import Images, Labels, RawData
from trainables.seeding import generator

# Revision of this code; grows whenever the same data set and seed would be split otherwise.
SPLITTING = 1
# Picks examples by number: (array [n, …], index [m] int64) → [m, …].
Take = Callable[[npt.NDArray[Any], npt.NDArray[np.int64]], npt.NDArray[Any]]


@dataclass(frozen=True)
class Split:
    """One split of a data set, as arrays: images [n, C, H, W] and true labels [n] int64 of each part."""

    train_images: Images
    train_labels: Labels
    val_images: Images
    val_labels: Labels
    test_images: Images
    test_labels: Labels
    num_classes: int


def split_sizes(config: DataConfig, dataset: Dataset, raw: RawData) -> tuple[int, int, int]:
    """Sizes [train, val, test] of the split that `config` asks for.

    `data.train_size` takes that many of the examples which would be trained on; validation and test stay the same.

    Raises:
        ValueError: More is asked for than the data set has; says how many there are. Or `data.subset` gives a network
            fewer than 2 examples, or leaves it none out.
    """
    train, val, test = config.split or dataset.default_split(raw)
    pool = len(raw.labels)
    if raw.test_labels is None:
        if train + val + test > pool:
            raise ValueError(
                f"data.split={train}+{val}+{test} asks for {train + val + test:,} examples, "
                f"but {config.name} has {pool:,}; ask for fewer."
            )
    else:
        if train + val > pool:
            raise ValueError(
                f"data.split={train}+{val}+{test} asks for {train + val:,} training and validation examples, "
                f"but {config.name} has {pool:,}; ask for fewer."
            )
        if test > len(raw.test_labels):
            raise ValueError(
                f"data.split={train}+{val}+{test} asks for {test:,} test examples, "
                f"but {config.name} has {len(raw.test_labels):,}; ask for fewer."
            )
    if config.train_size is not None and config.train_size > train:
        raise ValueError(
            f"data.train_size={config.train_size} is more than the {train:,} training examples of {config.name}; "
            "ask for fewer, or for a larger share of the data with data.split=TRAIN+VAL+TEST."
        )
    train = config.train_size or train
    if config.subset < 1:
        subset_size(config, train)
    return train, val, test


def subset_size(config: DataConfig, train: int) -> int:
    """How many of `train` training examples each network is given.

    Raises:
        ValueError: Fewer than 2, or all although `data.subset` is less than 1.
    """
    size = round(config.subset * train)
    if size < 2 or (size == train and config.subset < 1):
        raise ValueError(
            f"data.subset={config.subset:g} of {train:,} training examples gives each network {size:,}; it needs at "
            "least 2 and has to be left at least 1 out. Use e.g. 0.7 of at least 3 training examples, or 1 for all."
        )
    return size


def _index(array: npt.NDArray[Any], index: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    return array[index]


def split(config: DataConfig, dataset: Dataset, raw: RawData, seed: int, take: Take = _index) -> Split:
    """Shuffles by `seed` and cuts: training from the front, validation from behind it.

    A set without a standard test split gives the next examples for test. A smaller `train_size` is a subset of a
    larger one. Raises as `split_sizes`.
    """
    sizes = split_sizes(config, dataset, raw)
    full_train = (config.split or dataset.default_split(raw))[0]
    order = torch.randperm(len(raw.labels), generator=generator(seed, "split", "pool")).numpy()
    train, val = order[: sizes[0]], order[full_train : full_train + sizes[1]]
    if raw.test_images is None or raw.test_labels is None:
        test_images, test_labels = raw.images, raw.labels
        test = order[full_train + sizes[1] : full_train + sizes[1] + sizes[2]]
    else:
        test_images, test_labels = raw.test_images, raw.test_labels
        test = torch.randperm(len(test_labels), generator=generator(seed, "split", "test")).numpy()[: sizes[2]]
    return Split(
        take(raw.images, train),
        take(raw.labels, train),
        take(raw.images, val),
        take(raw.labels, val),
        take(test_images, test),
        take(test_labels, test),
        raw.num_classes,
    )
