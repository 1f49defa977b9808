"""Each label is replaced, with the probability of the share, by a draw from all classes (Zhang et al. 2017).

The expected share of changed labels is share · (1 − 1/C). A number is replaced by that of an example drawn from all,
itself included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.data.conditions import Noise

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from trainables.data.conditions import Accuracy


class Uniform(Noise):
    """References: Zhang et al. 2017, arXiv:1611.03530."""

    label: ClassVar[str] = ""

    def labels(self, labels: Tensor, share: float, num_classes: int, draws: torch.Generator) -> Tensor:
        """Draws from all classes."""
        import torch

        from trainables.data.label_noise import selector

        order = selector(len(labels), draws)
        drawn = torch.randint(num_classes, (len(labels),), generator=draws)
        return torch.where(order < share, drawn, labels)

    def numbers(self, targets: Tensor, share: float, draws: torch.Generator) -> Tensor:
        """Draws from all targets."""
        import torch

        from trainables.data.label_noise import selector

        order = selector(len(targets), draws)
        drawn = targets[torch.randint(len(targets), (len(targets),), generator=draws)]
        return torch.where((order < share)[:, None], drawn, targets)

    def iid_accuracy(self, share: float, accuracy: Accuracy, num_classes: int) -> Accuracy:
        """(1 − share) · accuracy + share/C."""
        return (1 - share) * accuracy + share / num_classes

    def iid_moments(self, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Moments of the training targets."""
        return targets.mean(dim=0), targets.var(dim=0, correction=0)


ENTRY = Uniform
