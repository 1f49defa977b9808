"""Every pixel uniform over 0 … 255, the blog's inputs; numbers uniform over their range in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.compression.interfaces import Transfer

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.training.inputs import Inputs
    from trainables.workspace import Workspace


class UniformNoise(Transfer):
    """Drawn for each replicate and shared with its control."""

    label: ClassVar[str] = "uniform noise"
    phrase: ClassVar[str] = "fitted on uniform noise"
    rank: ClassVar[int] = 2

    def inputs(self, workspace: Workspace) -> Inputs:
        """As many as there are training examples."""
        from trainables.compression.transfer import drawn_for_replicates
        from trainables.data.input_corruption import uniform_like

        like = workspace.data.images[0, : workspace.train_inputs.count].cpu()

        def noise(replicate: int) -> Tensor:
            return uniform_like(like, workspace.draws("transfer", replicate))

        return drawn_for_replicates(workspace, noise)


ENTRY = UniformNoise
