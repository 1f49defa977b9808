"""Conv-4 of the lottery-ticket paper: two pairs of convolutions and two hidden layers."""

from collections.abc import Mapping
from typing import ClassVar

from trainables.stack.planned import PlannedModel
from trainables.stack.step import Plan
from trainables.stack.vgg_like import convolution_pairs, pair_units


class Conv4(PlannedModel):
    """Prunable groups: 4 convolutions of 64, 64, 128, 128 channels, two hidden layers of 256 units.

    `width` is the first convolution's. 2,425,930 parameters on CIFAR-10 (the paper:
    2.4 M, 260 k of them in convolutions).

    References:
        Frankle & Carbin 2019, arXiv:1803.03635, figure 2.
    """

    default_width: ClassVar[int] = 64

    def plan(self, side: int, dropout: float) -> Plan:
        """Dropout after each hidden affine map."""
        return convolution_pairs(2, dropout)

    def published_units(self) -> Mapping[str, int]:
        """How many units the layers have in figure 2."""
        return pair_units(2)


ENTRY = Conv4
