"""What networks are asked for: how targets are spoilt, what is minimised, and how well networks do.

The engine knows nothing of classes or numbers, it asks the task of its data set. Torch-free, so that the service can
ask for names quickly.

Shapes: K networks, n examples, `outputs` numbers that a network says of each. Targets are [n] class numbers (int64) or
[n, outputs] numbers (float32), written `[n, …]`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainables.data.interfaces import DATASETS
from trainables.registry import Entry, Registry

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from trainables.config import DataConfig
    from trainables.data.conditions import Noise
    from trainables.stack.model import Loss


@dataclass(frozen=True)
class IidTruth:
    """What is known of the true targets, for expectations over the noise.

    Attributes:
        training: [n, …], the true targets of the training examples.
        outputs: Numbers that a network says of each example.
        renamed_test: [K', m], the targets of the test examples under the rule that renames classes; None where none is.
    """

    training: Tensor
    outputs: int
    renamed_test: Tensor | None = None


class Task(Entry, ABC):
    """Base of every module of `trainables/tasks`.

    A score is 1 where a network answers perfectly and `chance` where it says the same of every example.

    Attributes:
        score: What the score is called in metrics and columns, e.g. `train/accuracy`, `train_accuracy`.
        label: What it is called where people read it.
        brief: The same at the head of a column.
        has_classes: Whether targets are class numbers: answers are right or wrong, and can be counted.
        undefined_reasons: Column that other tasks have → why this one has not.
    """

    score: ClassVar[str]
    label: ClassVar[str]
    brief: ClassVar[str]
    has_classes: ClassVar[bool]
    undefined_reasons: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def chance(self, targets: Tensor, outputs: int) -> Tensor:
        """[K] float64, the best score without looking at the inputs, of targets [K, n, …]."""

    @abstractmethod
    def noisy(self, targets: Tensor, noise: Noise, share: float, outputs: int, draws: torch.Generator) -> Tensor:
        """Targets [n, …] after the noise, a new tensor; nested over shares with the same generator.

        Args:
            noise: One that is for such targets.
            share: In 0 … 1.
            draws: CPU generator, the only source of randomness.
        """

    @abstractmethod
    def loss(self, smoothing: float = 0.0) -> Loss:
        """What is minimised, with its gradient: see `trainables.training.losses`."""

    @abstractmethod
    def graph_loss(self, outputs: Tensor, targets: Tensor, temperature: float = 1.0) -> Tensor:
        """The same loss, unsmoothed, summed over all examples of all networks, for autograd.

        Args:
            outputs: [K, B, outputs].
            targets: [K, B, …].
            temperature: Logits are divided by it, where outputs are logits.
        """

    @abstractmethod
    def imitation_targets(self, outputs: Tensor, temperature: float) -> Tensor:
        """The targets of a student whose teacher says `outputs` [K, n, outputs]."""

    @abstractmethod
    def imitation_loss(self, temperature: float) -> Loss:
        """What that student minimises."""

    @abstractmethod
    def teacher_statistics(self, answers: Tensor) -> dict[str, Tensor]:
        """What has to be known of teachers' answers [K, n, …] to judge that students agree with them; [K] each."""

    @abstractmethod
    def answers(self, outputs: Tensor) -> Tensor:
        """What networks say, in the form of targets, from outputs [K, n, outputs]."""

    @abstractmethod
    def scores(self, answers: Tensor, targets: Tensor, chosen: Tensor | None = None) -> Tensor:
        """[K] float64, how well answers [K, n, …] meet targets ([n, …] or [K, n, …]).

        Args:
            chosen: [K, n] bool, the examples that count; None: all. A network without any, or of whose examples nothing
                can be said, has nan.
        """

    @abstractmethod
    def running_scores(self, losses: Tensor, correct: Tensor, targets: Tensor, networks: Tensor) -> Tensor:
        """[A] float64, scores from what is known after an epoch without another pass.

        Args:
            losses: [A] mean losses.
            correct: [A] shares of right answers, where there are classes.
            targets: [K, n, …].
            networks: [A] int64, which of the K they are.
        """

    @abstractmethod
    def iid_scores(
        self, noise: Noise, share: float, answers: Tensor, targets: Tensor, truth: IidTruth
    ) -> Tensor | None:
        """[K] float64, expected scores on test targets as noisy as those trained on, as if all networks had noisy ones.

        None where no formula holds.

        Args:
            noise, share: Of the targets trained on.
            answers, targets: Of the test examples, [K, n, …].
            truth: What the formulas need beside.
        """

    @abstractmethod
    def kappas(self, first: Tensor, second: Tensor, outputs: int) -> list[float]:
        """Agreement of answers [K, n, …] beyond what is due to chance; nan where that is not defined."""


TASKS: Registry[Task] = Registry("trainables.tasks", Task, "task")  # type: ignore[type-abstract]


def task_of(data: DataConfig) -> Task:
    """The task of a data set."""
    dataset = DATASETS.get(data.name).model_validate(data.options(data.name))
    return TASKS.get(dataset.task_name())()
