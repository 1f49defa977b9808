"""The training inputs of each network."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.compression.interfaces import Transfer

if TYPE_CHECKING:
    from trainables.training.inputs import Inputs
    from trainables.workspace import Workspace


class TrainingInputs(Transfer):
    """What students were to learn is what their teachers learned from."""

    label: ClassVar[str] = "training images"
    phrase: ClassVar[str] = "fitted on the training images"
    rank: ClassVar[int] = 0

    def inputs(self, workspace: Workspace) -> Inputs:
        """As they are."""
        return workspace.train_inputs


ENTRY = TrainingInputs
