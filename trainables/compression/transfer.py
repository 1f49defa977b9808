"""Transfer inputs of a distillation and what the teacher says about them."""

from collections.abc import Callable

import torch
from torch import Tensor

from trainables.compression.interfaces import TRANSFERS
from trainables.data.task import Task
from trainables.pausing import Pausing
from trainables.stack.model import StackedModel
from trainables.training.chunks import examples_at_once
from trainables.training.evaluate import evaluating
from trainables.training.inputs import Inputs
from trainables.workspace import Workspace

_CHUNK_BYTES = 8 << 20


def transfer_inputs(workspace: Workspace) -> Inputs:
    """Inputs of the configured kind, as many as training examples or more, the same at every level of the trial."""
    compression = workspace.config.compression
    kind = TRANSFERS.get(compression.transfer).model_validate(compression.options_of("transfer"))
    return workspace.once("transfer inputs", lambda: kind.inputs(workspace))


def drawn_for_replicates(workspace: Workspace, draw: Callable[[int], Tensor]) -> Inputs:
    """Inputs of all networks, a control's those of its replicate.

    Args:
        draw: Replicate → [n, C, H, W] on the CPU, of the kind of the training inputs.
    """
    device = workspace.data.images.device
    source = torch.arange(workspace.networks, device=device) % workspace.replicates
    return Inputs(torch.stack([draw(k) for k in range(workspace.replicates)]).to(device), source, workspace.data.mean)


def teacher_outputs(teacher: StackedModel, inputs: Inputs) -> Pausing[Tensor]:
    """Outputs [K, n, outputs] on all inputs; pauses between chunks."""
    chunk = examples_at_once(teacher, inputs, _CHUNK_BYTES)
    parts = []
    for start in range(0, inputs.count, chunk):
        with torch.no_grad():
            parts.append(teacher.answers(inputs.slice(start, min(inputs.count, start + chunk))).contiguous())
        yield
    return torch.cat(parts, dim=1)


def agreement(students: StackedModel, inputs: Inputs, answers: Tensor, task: Task) -> Pausing[dict[str, Tensor]]:
    """`transfer_agreement` and what is needed to judge it, e.g. `teacher_top_class_share`, [K] each.

    Agreement is the task's score with the teachers' answers as targets. A teacher that gives one class to nearly every
    input is followed by anybody: agreement then says nothing.

    Args:
        answers: [K, n, …], the teachers'.
        task: What both were asked for.
    """
    said = yield from evaluating(students, inputs, answers, task)
    return {"transfer_agreement": said.score, **task.teacher_statistics(answers)}
