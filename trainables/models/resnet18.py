"""ResNet-18 (He et al. 2016, arXiv:1512.03385, table 1)."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from trainables.stack.blocks import stage_units, stages
from trainables.stack.planned import PlannedModel
from trainables.stack.step import CLASSES, Plan
from trainables.stack.steps import AveragePool, BatchNorm, Conv, Linear, MaxPool, ReLU

_LARGE_SIDE = 128


class ResNet18(PlannedModel):
    """Prunable groups: the stream of each of four stages (64 … 512 channels) and the inside of each of eight blocks.

    `width` is the channels of the first stage. 11,689,512 parameters on ImageNet (the paper's stem), 11,173,962 on
    CIFAR-10 (a 3 × 3 stem without pooling, as is usual for small images).
    """

    default_width: ClassVar[int] = 64

    stem: Literal["auto", "small", "large"] = Field(
        "auto", description="small: 3×3; large: 7×7 and pooling, a sixteenth of the pixels; auto: large from 128 pixels"
    )

    def plan(self, side: int, dropout: float) -> Plan:
        """Dropout between the convolutions of each block."""
        large = self.stem == "large" or (self.stem == "auto" and side >= _LARGE_SIDE)
        stem: Plan = (Conv("stream_1", bias=False), BatchNorm(), ReLU())
        if large:
            convolution = Conv("stream_1", kernel=7, stride=2, padding=3, bias=False)
            stem = (convolution, BatchNorm(), MaxPool(size=3, stride=2, padding=1), ReLU())
        return (*stem, *stages((2, 2, 2, 2), dropout), AveragePool(), Linear(CLASSES))

    def published_units(self) -> Mapping[str, int]:
        """64, 128, 256, 512 by stage."""
        return stage_units((2, 2, 2, 2), self.default_width)


ENTRY = ResNet18
