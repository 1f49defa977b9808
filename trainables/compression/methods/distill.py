"""The blog's compression: a smaller network is fitted to the outputs of the last one, again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from trainables.compression.interfaces import CompressionResult, Level, Method

if TYPE_CHECKING:
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class Distill(Method):
    """Iterative distillation into fresh networks, on as many transfer inputs as there are training examples.

    The student minimises T² · cross-entropy of softmax(student/T) against softmax(teacher/T), or where outputs are
    numbers the squared difference to its teacher's; it shares nothing with its teacher but the outputs. A replicate's
    student and its control's start from the same weights and see the same batches. Optimizer, momentum, decay and batch
    size are those of the dense training; the rate stays constant.
    """

    trains: ClassVar[bool] = True
    makes_new_units: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("transfer",)
    reports: ClassVar[tuple[str, ...]] = ("transfer_agreement", "teacher_top_class_share")
    undefined_reasons: ClassVar[Mapping[str, str]] = {
        "transfer_agreement": "a teacher says one number of all inputs, which leaves nothing to agree on"
    }

    epochs: int = Field(30, ge=1, description="passes over the transfer inputs at each level")
    lr: float | None = Field(None, gt=0, description="learning rate; none: that of the dense training")
    temperature: float = Field(1.0, gt=0, description="T of both softmaxes; numbers have none")

    def epochs_to(self, level: int) -> int:
        """Each level imitates the one before."""
        return level * self.epochs

    def compress(self, workspace: Workspace, level: Level) -> Pausing[CompressionResult]:
        """Students of the level's widths, fitted to the networks of the level before."""
        from trainables.compression.transfer import agreement, teacher_outputs, transfer_inputs
        from trainables.training.examples import Examples

        inputs, task = transfer_inputs(workspace), workspace.data.task
        outputs = yield from teacher_outputs(level.previous, inputs)
        examples = Examples(inputs, task.imitation_targets(outputs, self.temperature), task, self.temperature)
        students = workspace.fresh(level.widths, "student", level.number)
        recipe = workspace.fixed_recipe(self.epochs, self.lr)
        yield from workspace.fit("students", students, examples, recipe)
        metrics = yield from agreement(students, inputs, task.answers(outputs), task)
        return CompressionResult(students, None, self.epochs, recipe, metrics)


ENTRY = Distill
