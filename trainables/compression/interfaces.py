"""What a criterion and a compression method are. Torch-free, so that configurations are checked quickly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trainables.registry import Entry, Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import Tensor

    from trainables.bench import Bench
    from trainables.config import TrainingConfig
    from trainables.pausing import Pausing
    from trainables.stack.model import Group, StackedModel


class Criterion(Entry, ABC):
    """Base of every module of `trainables/compression/criteria`; fields are set as `compression.<name>.<field>`."""

    @abstractmethod
    def scores(self, stack: StackedModel, group: Group, draws: Callable[[int], torch.Generator]) -> Tensor:
        """How much each unit of a group matters to each network.

        Args:
            stack: K networks; left as they are.
            group: One of `stack.groups`.
            draws: Network → a fresh generator of its own for this level and group (a replicate and its control get
                equal ones): the only source of randomness.
        Returns:
            [K, units] float, finite.
        """


@dataclass(frozen=True)
class Level:
    """One compression step to be made.

    Args:
        number: 1 … depth.
        widths: What the networks shall have afterwards.
        previous: The stack of the level before; left as it is.
        origin: For each group [K, units] int64: which unit of the dense network each unit of `previous` is; None once
            units no longer come from it.
        epochs: Training that `previous` has had since the dense networks, or since its weights were last drawn.
    """

    number: int
    widths: tuple[int, ...]
    previous: StackedModel
    origin: list[Tensor] | None
    epochs: int = 0


@dataclass(frozen=True)
class Compressed:
    """What a compression step makes.

    Args:
        stack: K networks of the level's widths.
        origin, epochs: As in `Level`, for `stack`.
        recipe: How the level was trained; None where nothing was.
        metrics: Name → [K], reported as `level/<name>`.
    """

    stack: StackedModel
    origin: list[Tensor] | None
    epochs: int = 0
    recipe: TrainingConfig | None = None
    metrics: dict[str, Tensor] = field(default_factory=dict)


class Method(Entry, ABC):
    """Base of every module of `trainables/compression/methods`; fields are set as `compression.<name>.<field>`."""

    @abstractmethod
    def compress(self, bench: Bench, level: Level) -> Pausing[Compressed]:
        """Makes one level; pauses at least every two seconds. Trains through `bench.fit` only, so it can resume."""

    @property
    def trains(self) -> bool:
        """Whether a level is made by training, so that a scratch arm runs beside it even without recovery."""
        return False


_CRITERIA, _METHODS = "trainables.compression.criteria", "trainables.compression.methods"
CRITERIA: Registry[Criterion] = Registry(_CRITERIA, Criterion, "criterion")  # type: ignore[type-abstract]
METHODS: Registry[Method] = Registry(_METHODS, Method, "compression method")  # type: ignore[type-abstract]
