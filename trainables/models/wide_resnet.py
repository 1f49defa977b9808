"""Wide residual networks, WRN-depth-k (Zagoruyko & Komodakis 2016, arXiv:1605.07146)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, field_validator

from trainables.stack.blocks import preactivated_stages, stage_units
from trainables.stack.interfaces import Shape
from trainables.stack.planned import PlannedModel
from trainables.stack.step import CLASSES, Plan
from trainables.stack.steps import AveragePool, Conv, Linear

if TYPE_CHECKING:
    from trainables.config import ModelConfig

_STEM = 16


class WideResNet(PlannedModel):
    """Prunable groups: the stem, the stream of each of three stages, and the inside of each block.

    `width` is the channels of the first stage, 16 k in the paper's terms; the stem always has 16. The default is
    WRN-16-4, 2,748,890 parameters on CIFAR-10; depth 28 with width 160 is WRN-28-10 with 36,479,194. At k = 1 the first
    stage has a projection (256 weights) where the paper has an identity.
    """

    default_width: ClassVar[int] = 64

    depth: int = Field(16, ge=10, le=1000, description="layers; 6 n + 4 for n blocks a stage")

    @field_validator("depth")
    @classmethod
    def _whole_blocks(cls, depth: int) -> int:
        if depth % 6 != 4:
            raise ValueError(f"must be 6 n + 4: 10, 16, 22, 28, 34, 40 …; the nearest are {_nearest_depths(depth)}")
        return depth

    def plan(self, side: int, dropout: float) -> Plan:
        """Dropout between the convolutions of each block."""
        stages = preactivated_stages((self.depth - 4) // 6, dropout)
        return (Conv("stem", bias=False), *stages, AveragePool(), Linear(CLASSES))

    def published_units(self) -> Mapping[str, int]:
        """16 in the stem; 64, 128, 256 by stage."""
        blocks = (self.depth - 4) // 6
        return {"stem": _STEM, **stage_units((blocks,) * 3, self.default_width)}

    def widths(self, config: ModelConfig) -> Shape:
        """16 for the stem, then the published units scaled by width/default_width."""
        return (_STEM, *super().widths(config)[1:])


def _nearest_depths(depth: int) -> str:
    below = (depth - 4) // 6 * 6 + 4
    return f"{below} and {below + 6}"


ENTRY = WideResNet
