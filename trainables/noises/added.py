"""Normal numbers are added to the targets of a share of the examples (Goldt et al. 2019, arXiv:1906.08632)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from trainables.data.conditions import Noise

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Added(Noise):
    """For numbers only; with `data.label_noise=1` every target gets some."""

    label: ClassVar[str] = "normal numbers added to targets"

    deviation: float = Field(0.3, gt=0, description="of the numbers added, in units of the targets")

    def numbers(self, targets: Tensor, share: float, draws: torch.Generator) -> Tensor:
        """The targets with a number added, drawn for each output by itself."""
        import torch

        from trainables.data.label_noise import selector

        order = selector(len(targets), draws)
        drawn = targets + self.deviation * torch.randn(targets.shape, generator=draws)
        return torch.where((order < share)[:, None], drawn, targets)


ENTRY = Added
