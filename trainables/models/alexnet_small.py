"""The small AlexNet on which Zhang et al. 2017 fit random labels: two convolutions and two hidden layers."""

from collections.abc import Mapping
from typing import ClassVar

from trainables.stack.blocks import dropping
from trainables.stack.planned import PlannedModel
from trainables.stack.step import CLASSES, Plan
from trainables.stack.steps import Conv, Linear, MaxPool, ReLU


class AlexNetSmall(PlannedModel):
    """Prunable groups: two convolutions of 64 channels, hidden layers of 384 and 192 units.

    `width` is the first convolution's. 1,387,786 parameters on images of 28 × 28 pixels in 3 channels, as in the paper.
    Differs from it: no local response normalisation.

    References:
        Zhang et al. 2017, arXiv:1611.03530, table 1 and appendix A.
    """

    default_width: ClassVar[int] = 64

    def plan(self, side: int, dropout: float) -> Plan:
        """Dropout after each hidden affine map."""
        plan: Plan = ()
        for layer in (1, 2):
            # The largest of ReLUs is the ReLU of the largest.
            plan += (Conv(f"conv_{layer}", kernel=5, padding=2), MaxPool(3, 2, 1), ReLU())
        for layer in (1, 2):
            plan += (Linear(f"hidden_{layer}"), ReLU(), *dropping(dropout))
        return (*plan, Linear(CLASSES))

    def published_units(self) -> Mapping[str, int]:
        """64, 64, 384, 192."""
        return {"conv_1": 64, "conv_2": 64, "hidden_1": 384, "hidden_2": 192}


ENTRY = AlexNetSmall
