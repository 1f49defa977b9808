"""Networks train on; at a constant rate, that of the dense training, unless told otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from trainables.compression.interfaces import Recovery

if TYPE_CHECKING:
    from trainables.compression.interfaces import CompressionResult, Level, RecoveryResult
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class Finetune(Recovery):
    """From the weights that the compression left, with `compression.recovery_lr` and `.recovery_schedule`."""

    label: ClassVar[str] = "finetuning"
    phrase: ClassVar[str] = "after finetuning"
    rank: ClassVar[int] = 1

    def recover(self, workspace: Workspace, level: Level, compressed: CompressionResult) -> Pausing[RecoveryResult]:
        """A level may have no epoch: then nothing is trained."""
        from trainables.compression.interfaces import RecoveryResult
        from trainables.compression.recovery import level_epochs, retrain, retraining

        epochs = level_epochs(workspace, level)
        recipe = retraining(workspace, max(1, epochs), "constant")
        made = replace(compressed, epochs=compressed.epochs + epochs, recipe=recipe)
        if epochs:
            made = yield from retrain(workspace, "recovery", made, compressed.stack)
        return RecoveryResult(made, made)


ENTRY = Finetune
