"""LeNet-5 (LeCun et al. 1998), with ReLUs, mean pooling and a linear classifier."""

from collections.abc import Mapping
from typing import ClassVar

from trainables.stack.blocks import dropping
from trainables.stack.planned import PlannedModel
from trainables.stack.step import CLASSES, Plan
from trainables.stack.steps import AveragePool, Conv, Linear, ReLU


class LeNet5(PlannedModel):
    """Prunable groups: two convolutions and two hidden layers, 6 and 16 channels, 120 and 84 units.

    `width` is the first one's. Smaller images are padded to the paper's 32 × 32. 61,706 parameters on MNIST, 62,006 on
    CIFAR-10. Differs from the paper, as is usual: every channel of the second convolution sees all of the first,
    pooling has no parameters, the classifier is affine.
    """

    default_width: ClassVar[int] = 6

    def plan(self, side: int, dropout: float) -> Plan:
        """Dropout after each hidden affine map."""
        padding = max(0, (32 - side + 1) // 2)
        hidden_1, hidden_2 = ((Linear(f"hidden_{n}"), ReLU(), *dropping(dropout)) for n in (1, 2))
        return (
            *(Conv("conv_1", kernel=5, padding=padding), ReLU(), AveragePool(2)),
            *(Conv("conv_2", kernel=5, padding=0), ReLU(), AveragePool(2)),
            *hidden_1,
            *hidden_2,
            Linear(CLASSES),
        )

    def published_units(self) -> Mapping[str, int]:
        """6, 16, 120, 84."""
        return {"conv_1": 6, "conv_2": 16, "hidden_1": 120, "hidden_2": 84}


ENTRY = LeNet5
