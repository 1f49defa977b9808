"""What a stack is fitted to."""

from dataclasses import dataclass
from functools import partial

from torch import Tensor

from trainables.stack.model import Loss
from trainables.training.inputs import Inputs
from trainables.training.losses import cross_entropy, soft_cross_entropy


@dataclass(frozen=True)
class Examples:
    """What a stack of K networks is fitted to.

    Args:
        inputs: Of K networks, n examples.
        targets: [K, n] int64 labels, or [K, n, classes] float probabilities at `temperature`.
        temperature: Of soft targets.
    """

    inputs: Inputs
    targets: Tensor
    temperature: float = 1.0

    @property
    def soft(self) -> bool:
        """Whether targets are probabilities."""
        return self.targets.is_floating_point()

    def loss(self, smoothing: float = 0.0) -> Loss:
        """As in `trainables.training.losses`; soft targets are not smoothed once more."""
        if self.soft:
            return partial(soft_cross_entropy, temperature=self.temperature)
        return partial(cross_entropy, smoothing=smoothing)

    def batch_targets(self, networks: Tensor, index: Tensor) -> Tensor:
        """Targets [P, A, B(, classes)] of example numbers [P, A, B] for A networks of the K."""
        return picked(self.targets, networks, index)


def picked(table: Tensor, rows: Tensor, index: Tensor) -> Tensor:
    """From `table` [K, n, …], for each of A rows, the entries [P, A, B] of it: [P, A, B, …]."""
    places = (index + rows[:, None] * table.shape[1]).reshape(-1)
    return table.flatten(0, 1).index_select(0, places).view(*index.shape, *table.shape[2:])
