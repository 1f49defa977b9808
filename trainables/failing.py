"""What is said, and kept, of networks that failed while the others went on."""

from collections.abc import Mapping

from torch import Tensor

from trainables.moving import to_host
from trainables.training.loop import Training
from trainables.workspace import Workspace


def of_each(metrics: Mapping[str, Tensor], failed: Mapping[int, str]) -> dict[str, list[float | None]]:
    """Name → a number for each network, None for those that failed."""
    return {
        name: [None if n in failed else value for n, value in enumerate(values.tolist())]
        for name, values in zip(metrics, to_host([*metrics.values()]), strict=True)
    }


def rewind_snapshot(workspace: Workspace, training: Training) -> dict[str, Tensor] | None:
    """What networks rewind to: those that failed, perhaps before that step, to their initial weights."""
    if training.snapshot is None or not training.failed:
        return training.snapshot
    snapshot, networks = training.model.with_tensors(training.snapshot), sorted(training.failed)
    snapshot.write(networks, workspace.initial().select(networks))
    return snapshot.tensors()
