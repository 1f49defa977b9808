"""ResNet-20 for small images (He et al. 2016, arXiv:1512.03385, section 4.2)."""

from collections.abc import Mapping
from typing import ClassVar

from trainables.stack.blocks import stage_units, stages
from trainables.stack.planned import PlannedModel
from trainables.stack.step import CLASSES, Plan
from trainables.stack.steps import AveragePool, BatchNorm, Conv, Linear, ReLU


class ResNet20(PlannedModel):
    """Prunable groups: the stream of each of three stages (16, 32, 64 channels) and the inside of each of nine blocks.

    `width` is the channels of the first stage. 272,474 parameters on CIFAR-10, as in open_lth: stages are entered by
    projections (option B of the paper). Its option A pads with zeros instead (269,722 parameters), which ties channel i
    of one stage to channel i + 8 of the next, so that no stage could be cut by itself.
    """

    default_width: ClassVar[int] = 16

    def plan(self, side: int, dropout: float) -> Plan:
        """Dropout between the convolutions of each block."""
        stem: Plan = (Conv("stream_1", bias=False), BatchNorm(), ReLU())
        return (*stem, *stages((3, 3, 3), dropout), AveragePool(), Linear(CLASSES))

    def published_units(self) -> Mapping[str, int]:
        """16, 32, 64 by stage."""
        return stage_units((3, 3, 3), self.default_width)


ENTRY = ResNet20
