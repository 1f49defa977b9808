"""Each label is replaced, with the probability of the share, by a draw from the other classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.data.conditions import Noise

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from trainables.data.conditions import Accuracy


class Wrong(Noise):
    """All labels put through it change."""

    label: ClassVar[str] = "wrong labels"

    def labels(self, labels: Tensor, share: float, num_classes: int, draws: torch.Generator) -> Tensor:
        """Draws from the other classes."""
        import torch

        from trainables.data.label_noise import selector

        order = selector(len(labels), draws)
        drawn = (labels + torch.randint(1, num_classes, (len(labels),), generator=draws)) % num_classes
        return torch.where(order < share, drawn, labels)

    def iid_accuracy(self, share: float, accuracy: Accuracy, num_classes: int) -> Accuracy:
        """(1 − share) · accuracy + share · (1 − accuracy)/(C − 1)."""
        return (1 - share) * accuracy + share * (1 - accuracy) / (num_classes - 1)


ENTRY = Wrong
