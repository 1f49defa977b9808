"""What a stack is fitted to."""

from dataclasses import dataclass

from torch import Tensor

from trainables.data.task import Task
from trainables.stack.model import Loss
from trainables.training.inputs import Inputs


@dataclass(frozen=True)
class Examples:
    """What a stack of K networks is fitted to.

    Args:
        inputs: Of K networks, n examples.
        targets: [K, n, …], labels as `task` has them, or with a temperature what a teacher says, as `task` has it
            imitated.
        task: What the stack is asked for.
        temperature: Of a teacher's answers; None: targets are labels.
    """

    inputs: Inputs
    targets: Tensor
    task: Task
    temperature: float | None = None

    @property
    def soft(self) -> bool:
        """Whether targets are what a teacher says."""
        return self.temperature is not None

    def loss(self, smoothing: float = 0.0) -> Loss:
        """As in `trainables.training.losses`; soft targets are not smoothed once more."""
        return self.task.loss(smoothing) if self.temperature is None else self.task.imitation_loss(self.temperature)

    def batch_targets(self, networks: Tensor, index: Tensor) -> Tensor:
        """Targets [P, A, B, …] of example numbers [P, A, B] for A networks of the K."""
        return pick_rows(self.targets, networks, index)


def pick_rows(table: Tensor, rows: Tensor, index: Tensor) -> Tensor:
    """From `table` [K, n, …], for each of A rows, the entries [P, A, B] of it: [P, A, B, …]."""
    places = (index + rows[:, None] * table.shape[1]).reshape(-1)
    return table.flatten(0, 1).index_select(0, places).view(*index.shape, *table.shape[2:])
