"""What a data set is. Torch-free, so that a configuration that names one can be checked quickly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import ValidationError

from trainables.config import DataConfig
from trainables.explain import problems_of
from trainables.problems import Refused
from trainables.registry import Entry, Registry

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.data.raw import RawData


class Dataset(Entry, ABC):
    """Base of every module of `trainables/datasets`; its fields are set as `data.<name>.<field>`.

    Attributes:
        has_images: Whether an example is an image, which neighbouring pixels make and which may be moved or mirrored.
        revision: Of the code that makes examples; grows whenever the same fields and files would give others.
    """

    has_images: ClassVar[bool] = True
    revision: ClassVar[int] = 1

    @classmethod
    def name(cls) -> str:
        """Its name in configurations: that of its module."""
        return cls.__module__.rpartition(".")[2]

    def task_name(self) -> str:
        """What networks are asked for: a module of `trainables/tasks`."""
        return "classification"

    def files(self, data_dir: Path) -> Mapping[str, Path]:
        """Every file that examples are read from, under a name that is the same wherever the data set lies.

        Must be quick; {} where nothing is read. Called when the data set is there.

        Raises:
            DataUnavailable: As `load`.
        """
        return {}

    def example_files(self, data_dir: Path) -> tuple[Sequence[str], Sequence[str] | None] | None:
        """The file of each example, in the order of `RawData.images` and (None without) of `RawData.test_images`.

        None where examples have no files of their own. Raises as `load`.
        """
        return None

    def account(self, data_dir: Path) -> str:
        """What is worth knowing about the data set, in one paragraph: what was taken, what was left, what is unusual.

        Said when a study is launched; "" if there is nothing. Called when the data set is there.
        """
        return ""

    def teacher_units(self) -> Tensor | None:
        """[units, inputs] of the hidden units of a network that made the labels; None where none did."""
        return None

    def places(self) -> set[str]:
        """Fields that say where the files are, not what is made of them."""
        return {name for name, value in self if isinstance(value, Path)}

    @abstractmethod
    def load(self, data_dir: Path) -> RawData:
        """The data set; downloads it into `data_dir` if it is not there and can be had.

        Raises:
            DataUnavailable: Neither there nor to be had. Nothing is left behind.
        """

    @abstractmethod
    def default_split(self, raw: RawData) -> tuple[int, int, int]:
        """Sizes [train, val, test] unless `data.split` is given."""


DATASETS: Registry[Dataset] = Registry("trainables.datasets", Dataset, "data set")  # type: ignore[type-abstract]


def dataset_of(config: DataConfig) -> Dataset:
    """The data set with the fields given for it."""
    kind = DATASETS.get(config.name)
    try:
        return kind.model_validate(config.options(config.name))
    except ValidationError as error:
        raise Refused(problem.in_section("data", config.name) for problem in problems_of(error, kind)) from None
