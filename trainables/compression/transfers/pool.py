"""All training inputs of the study, those too that a network was not given (`data.subset`): extra ones, unlabelled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from trainables.compression.interfaces import Transfer

if TYPE_CHECKING:
    from trainables.training.inputs import Inputs
    from trainables.workspace import Workspace


class PooledInputs(Transfer):
    """A student sees its teacher's answers to inputs that nobody labelled for either of them.

    References:
        Urban et al. 2017, arXiv:1603.05691; Bucilă et al. 2006 (model compression).
    """

    label: ClassVar[str] = "all images, labelled or not"
    phrase: ClassVar[str] = "fitted on all images, labelled or not"
    rank: ClassVar[int] = 3

    def inputs(self, workspace: Workspace) -> Inputs:
        """1/data.subset as many inputs as a network has training examples."""
        return replace(workspace.train_inputs, subset=None)


ENTRY = PooledInputs
