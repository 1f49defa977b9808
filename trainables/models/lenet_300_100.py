"""LeNet-300-100: an MLP with hidden layers of 300 and 100 units (LeCun et al. 1998)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.models.mlp import MLP

if TYPE_CHECKING:
    from trainables.config import ModelConfig
    from trainables.stack.interfaces import Shape


class LeNet300100(MLP):
    """Prunable groups: both hidden layers. `width` is the first one's; the second has a third of it.

    266,610 parameters on MNIST (266,200 weights).
    """

    default_width: ClassVar[int] = 300
    reads: ClassVar[tuple[str, ...]] = ()

    def widths(self, config: ModelConfig) -> Shape:
        """300 and 100 units, or as many in proportion."""
        return config.width, max(1, round(config.width / 3))


ENTRY = LeNet300100
