"""The labels of round(share · n) examples are shuffled among themselves; numbers likewise.

Fewer than the share change, since a label can meet itself. Labels are no independent draws: no formula says what a
network would reach on others of their kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.data.conditions import Noise

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Permuted(Noise):
    """How often each label comes stays as it was."""

    label: ClassVar[str] = "permuted labels"

    def labels(self, labels: Tensor, share: float, num_classes: int, draws: torch.Generator) -> Tensor:
        """Shuffled among themselves."""
        return _permute(labels, share, draws)

    def numbers(self, targets: Tensor, share: float, draws: torch.Generator) -> Tensor:
        """Shuffled among themselves."""
        return _permute(targets, share, draws)


def _permute(targets: Tensor, share: float, draws: torch.Generator) -> Tensor:
    """[n, …]: those of the examples that the selector puts first shuffled among themselves."""
    import torch

    from trainables.data.label_noise import selector

    n = len(targets)
    chosen = selector(n, draws).argsort()[: int(share * n + 0.5)].sort().values
    order = torch.rand(n, generator=draws, dtype=torch.float64)
    noisy = targets.clone()
    noisy[chosen] = targets[chosen[order[chosen].argsort()]]
    return noisy


ENTRY = Permuted
