"""Classes change their names: the rule from inputs to labels stays as learnable as it was, a placebo for memorisation.

round(share · C) of the classes, at least 2 if the share is above 0, are renamed in a cycle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.data.conditions import Noise

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Renamed(Noise):
    """The expected share of changed labels is that of the renamed classes."""

    label: ClassVar[str] = "classes renamed"
    leaves_rule: ClassVar[bool] = True

    def labels(self, labels: Tensor, share: float, num_classes: int, draws: torch.Generator) -> Tensor:
        """The new name of each label."""
        return self.renaming(share, num_classes, draws)[labels]

    def renaming(self, share: float, num_classes: int, draws: torch.Generator) -> Tensor:
        """A cycle through the renamed classes."""
        import torch

        names = torch.arange(num_classes)
        order = torch.randperm(num_classes, generator=draws)
        count = max(2, int(share * num_classes + 0.5)) if share > 0 else 0
        cycle = order[:count]
        names[cycle] = cycle.roll(-1)
        return names


ENTRY = Renamed
