"""LeNet-300-100: an MLP with hidden layers of 300 and 100 units (LeCun et al. 1998)."""

from collections.abc import Mapping
from typing import ClassVar

from trainables.stack.blocks import dropping
from trainables.stack.plan import CLASSES, Linear, Plan, ReLU
from trainables.stack.planned import PlannedModel


class LeNet300100(PlannedModel):
    """Prunable groups: both hidden layers. `width` is the first one's; the second has a third of it.

    266,610 parameters on MNIST (266,200 weights).
    """

    default_width: ClassVar[int] = 300

    def plan(self, side: int, dropout: float) -> Plan:
        """Dropout after each ReLU."""
        hidden_1, hidden_2 = ((Linear(f"hidden_{n}"), ReLU(), *dropping(dropout)) for n in (1, 2))
        return (*hidden_1, *hidden_2, Linear(CLASSES))

    def published_units(self) -> Mapping[str, int]:
        """300, 100."""
        return {"hidden_1": 300, "hidden_2": 100}


ENTRY = LeNet300100
