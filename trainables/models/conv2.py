"""Conv-2 of the lottery-ticket paper: one pair of convolutions and two hidden layers."""

from collections.abc import Mapping
from typing import ClassVar

from trainables.stack.planned import PlannedModel
from trainables.stack.step import Plan
from trainables.stack.vgg_like import convolution_pairs, pair_units


class Conv2(PlannedModel):
    """Prunable groups: 2 convolutions of 64 channels, two hidden layers of 256 units.

    `width` is the first convolution's. 4,301,642 parameters on CIFAR-10 (the paper:
    4.3 M, 38 k of them in convolutions).

    References:
        Frankle & Carbin 2019, arXiv:1803.03635, figure 2.
    """

    default_width: ClassVar[int] = 64

    def plan(self, side: int, dropout: float) -> Plan:
        """Dropout after each hidden affine map."""
        return convolution_pairs(1, dropout)

    def published_units(self) -> Mapping[str, int]:
        """How many units the layers have in figure 2."""
        return pair_units(1)


ENTRY = Conv2
