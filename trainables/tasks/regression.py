"""Numbers: squared error, coefficient of determination."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from trainables.data.task import IidTruth, Task

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from trainables.data.conditions import Noise
    from trainables.stack.model import Loss

# Some noise changes all but a few examples: what is kept there says nothing.
_LEAST = 10


class Regression(Task):
    """Outputs are the numbers themselves.

    Losses are mean squared errors (without ½) over outputs and examples, so with targets of variance 1 a loss of 0.01
    is R² = 0.99. Chance is 0: predicting the mean of the targets given.
    """

    score: ClassVar[str] = "r2"
    label: ClassVar[str] = "R²"
    brief: ClassVar[str] = "R²"
    has_classes: ClassVar[bool] = False
    undefined_reasons: ClassVar[Mapping[str, str]] = {
        "kappa": "numbers do not agree by chance, as classes do; fidelity is a coefficient of determination already",
    }

    def chance(self, targets: Tensor, outputs: int) -> Tensor:
        """0."""
        return targets.new_zeros(len(targets)).double()

    def noisy(self, targets: Tensor, noise: Noise, share: float, outputs: int, draws: torch.Generator) -> Tensor:
        """The noise's numbers."""
        return noise.numbers(targets, share, draws)

    def loss(self, smoothing: float = 0.0) -> Loss:
        """Squared error; there is nothing to smooth.

        Raises:
            ValueError: Smoothing is asked for.
        """
        from trainables.training.losses import squared_error

        if smoothing:
            raise ValueError(f"label_smoothing={smoothing:g} is for classes; numbers have none")
        return squared_error

    def graph_loss(self, outputs: Tensor, targets: Tensor, temperature: float = 1.0) -> Tensor:
        """Squared error; numbers have no temperature."""
        return (outputs - targets).square().mean(dim=2).sum()

    def imitation_targets(self, outputs: Tensor, temperature: float) -> Tensor:
        """The outputs."""
        return outputs

    def imitation_loss(self, temperature: float) -> Loss:
        """Squared error."""
        return self.loss()

    def teacher_statistics(self, answers: Tensor) -> dict[str, Tensor]:
        """Nothing: R² of a teacher that says one number to every input is not defined, and needs no warning."""
        return {}

    def answers(self, outputs: Tensor) -> Tensor:
        """[K, n, outputs] float32."""
        return outputs.float()

    def scores(self, answers: Tensor, targets: Tensor, chosen: Tensor | None = None) -> Tensor:
        """R² = 1 − Σ(y − ŷ)²/Σ(y − ȳ)² over the chosen examples and all outputs, ȳ their own mean for each output.

        At most 1, and negative where the mean of the targets were a better answer. nan where all targets are equal, and
        of fewer than 10 chosen examples, whose own mean leaves little to explain.
        (scikit-learn's `r2_score` with `multioutput="variance_weighted"`.)
        """
        import torch

        wanted = targets.double()
        counts = answers.new_ones(answers.shape[:2]).double() if chosen is None else chosen.double()
        weights = counts[..., None]
        mean = (weights * wanted).sum(dim=1, keepdim=True) / weights.sum(dim=1, keepdim=True)
        left = (weights * (answers.double() - wanted).square()).sum(dim=(1, 2))
        spread = (weights * (wanted - mean).square()).sum(dim=(1, 2))
        known = (spread > 0) if chosen is None else (spread > 0) & (chosen.sum(dim=1) >= _LEAST)
        return torch.where(known, 1 - left / spread, math.nan)

    def running_scores(self, losses: Tensor, correct: Tensor, targets: Tensor, networks: Tensor) -> Tensor:
        """R² from the mean squared error."""
        return 1 - losses / targets[networks].double().var(dim=1, correction=0).mean(dim=1)

    def iid_scores(
        self, noise: Noise, share: float, answers: Tensor, targets: Tensor, truth: IidTruth
    ) -> Tensor | None:
        """R² with squared errors and variance in expectation over the noise; None where its draws are not independent.

        A target is replaced with probability p by draws of mean m and variance v:
        E(f − y')² = (1 − p)(f − y)² + p((f − m)² + v).
        """
        if share == 0:
            return self.scores(answers, targets)
        said, own = answers.double(), targets.double()
        moments = noise.iid_moments(truth.training.double())
        if moments is None:
            return None
        p, (m, v) = share, moments
        errors = (1 - p) * (said - own).square() + p * ((said - m).square() + v)
        mean = (1 - p) * own.mean(dim=1) + p * m
        spread = (1 - p) * own.square().mean(dim=1) + p * (v + m.square()) - mean.square()
        return 1 - errors.mean(dim=1).sum(dim=1) / spread.sum(dim=1)

    def kappas(self, first: Tensor, second: Tensor, outputs: int) -> list[float]:
        """nan."""
        return [math.nan] * len(first)


ENTRY = Regression
