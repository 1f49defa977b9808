"""Conv-6 of the lottery-ticket paper: three pairs of convolutions and two hidden layers."""

from collections.abc import Mapping
from typing import ClassVar

from trainables.stack.planned import PlannedModel
from trainables.stack.step import Plan
from trainables.stack.vgg_like import convolution_pairs, pair_units


class Conv6(PlannedModel):
    """Prunable groups: 6 convolutions of 64, 64, 128, 128, 256, 256 channels, two hidden layers of 256 units.

    `width` is the first convolution's.

    2,262,602 parameters on CIFAR-10, 1,145,408 of them in convolutions. The paper says 1.7 M and 1.1 M; its own figure
    makes the hidden layer's inputs 256 · 4 · 4, of which 1.05 M weights follow, so the first number cannot be met.

    References:
        Frankle & Carbin 2019, arXiv:1803.03635, figure 2.
    """

    default_width: ClassVar[int] = 64

    def plan(self, side: int, dropout: float) -> Plan:
        """Dropout after each hidden affine map."""
        return convolution_pairs(3, dropout)

    def published_units(self) -> Mapping[str, int]:
        """How many units the layers have in figure 2."""
        return pair_units(3)


ENTRY = Conv6
