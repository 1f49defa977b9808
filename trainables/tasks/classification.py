"""One of several classes: cross-entropy, accuracy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from trainables.data.task import IidTruth, Task

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from trainables.data.conditions import Noise
    from trainables.stack.model import Loss


class Classification(Task):
    """Outputs are logits of classes; the answer is the class of the largest."""

    score: ClassVar[str] = "accuracy"
    label: ClassVar[str] = "accuracy"
    brief: ClassVar[str] = "acc."
    has_classes: ClassVar[bool] = True

    def chance(self, targets: Tensor, outputs: int) -> Tensor:
        """The largest class share among the labels."""
        import torch

        counts = torch.stack([row.bincount(minlength=outputs) for row in targets])
        return counts.max(dim=1).values.double() / targets.shape[1]

    def noisy(self, targets: Tensor, noise: Noise, share: float, outputs: int, draws: torch.Generator) -> Tensor:
        """The noise's labels."""
        return noise.labels(targets, share, outputs, draws)

    def loss(self, smoothing: float = 0.0) -> Loss:
        """Cross-entropy in nats."""
        from trainables.training.losses import cross_entropy

        return partial(cross_entropy, smoothing=smoothing)

    def graph_loss(self, outputs: Tensor, targets: Tensor, temperature: float = 1.0) -> Tensor:
        """Cross-entropy in nats."""
        from torch.nn import functional

        logits = outputs / temperature
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")

    def imitation_targets(self, outputs: Tensor, temperature: float) -> Tensor:
        """softmax(outputs/T), [K, n, classes]."""
        import torch

        return torch.softmax(outputs / temperature, dim=2)

    def imitation_loss(self, temperature: float) -> Loss:
        """T² · cross-entropy of the two softmaxes."""
        from trainables.training.losses import soft_cross_entropy

        return partial(soft_cross_entropy, temperature=temperature)

    def teacher_statistics(self, answers: Tensor) -> dict[str, Tensor]:
        """`teacher_top_class_share`: a teacher that gives one class to nearly every input is followed by anybody."""
        import torch

        from trainables.moving import to_host

        counts = torch.stack([row.bincount().max() for row in to_host([answers])[0]])
        return {"teacher_top_class_share": counts.double() / answers.shape[1]}

    def answers(self, outputs: Tensor) -> Tensor:
        """[K, n] int64."""
        return outputs.argmax(dim=2)

    def scores(self, answers: Tensor, targets: Tensor, chosen: Tensor | None = None) -> Tensor:
        """Accuracy: the share of right answers."""
        correct = answers == targets
        if chosen is None:
            return correct.double().mean(dim=1)
        return (correct & chosen).sum(dim=1).double() / chosen.sum(dim=1).double()

    def running_scores(self, losses: Tensor, correct: Tensor, targets: Tensor, networks: Tensor) -> Tensor:
        """The shares of right answers."""
        return correct

    def iid_scores(
        self, noise: Noise, share: float, answers: Tensor, targets: Tensor, truth: IidTruth
    ) -> Tensor | None:
        """By the noise's formula; where classes are renamed held against the labels that the rule gives."""
        if truth.renamed_test is not None:
            return self.scores(answers[: len(truth.renamed_test)], truth.renamed_test)
        clean = self.scores(answers, targets)
        return clean if share == 0 else noise.iid_accuracy(share, clean, truth.outputs)

    def kappas(self, first: Tensor, second: Tensor, outputs: int) -> list[float]:
        """Cohen's κ; nan where both always say the same class."""
        import math

        import torch

        from trainables.statistics import cohen_kappa

        tables = [torch.bincount(row, minlength=outputs**2).view(outputs, outputs) for row in first * outputs + second]
        found = [cohen_kappa(table.cpu().double().numpy()) for table in tables]
        return [math.nan if kappa is None else kappa for kappa in found]


ENTRY = Classification
