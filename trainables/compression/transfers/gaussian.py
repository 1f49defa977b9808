"""Normal noise with the mean and deviation of the training pixels, bytes cut to 0 … 255."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.compression.interfaces import Transfer

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.training.inputs import Inputs
    from trainables.workspace import Workspace


class GaussianNoise(Transfer):
    """Drawn for each replicate and shared with its control."""

    label: ClassVar[str] = "gaussian noise"
    phrase: ClassVar[str] = "fitted on gaussian noise"
    rank: ClassVar[int] = 1

    def inputs(self, workspace: Workspace) -> Inputs:
        """As many as there are training examples."""
        from trainables.compression.transfer import drawn_for_replicates
        from trainables.data.input_corruption import gaussian_like

        data, like = workspace.data, workspace.data.images[0, : workspace.train_inputs.count].cpu()

        def noise(replicate: int) -> Tensor:
            draws = workspace.draws("transfer", replicate, "inputs", "gaussian")
            return gaussian_like(like, data.mean.cpu(), data.std.cpu(), draws)

        return drawn_for_replicates(workspace, noise)


ENTRY = GaussianNoise
