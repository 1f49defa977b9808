"""Transfer inputs of a distillation and what the teacher says about them."""

import torch
from torch import Tensor

from trainables.bench import Bench
from trainables.data.input_corruption import gaussian_like
from trainables.pausing import Pausing
from trainables.stack.model import StackedModel
from trainables.task import Task
from trainables.training.chunks import examples_at_once
from trainables.training.evaluate import evaluating
from trainables.training.inputs import Inputs

_CHUNK_BYTES = 8 << 20


def transfer_inputs(bench: Bench) -> Inputs:
    """As many inputs as there are training examples, the same at every level of the trial.

    `noise`: every pixel uniform over 0 … 255. `gaussian`: normal with the mean and deviation of the training pixels,
    cut to 0 … 255. `train`: the training inputs of each network. The noise is drawn for each replicate and shared with
    its control.
    """
    return bench.once("transfer inputs", lambda: _drawn(bench))


def _drawn(bench: Bench) -> Inputs:
    kind, data = bench.config.compression.transfer, bench.data
    if kind == "train":
        return bench.train_inputs
    like = data.images[0].cpu()
    sets = []
    for replicate in range(bench.replicates):
        if kind == "noise":
            draws = bench.draws("transfer", replicate)
            sets.append(torch.randint(256, like.shape, generator=draws, dtype=torch.uint8))
        else:
            draws = bench.draws("transfer", replicate, "inputs", "gaussian")
            sets.append(gaussian_like(like, data.mean.cpu(), data.std.cpu(), draws))
    source = torch.arange(bench.networks, device=data.images.device) % bench.replicates
    return Inputs(torch.stack(sets).to(data.images.device), source, data.mean)


def teacher_outputs(teacher: StackedModel, inputs: Inputs) -> Pausing[Tensor]:
    """Outputs [K, n, outputs] on all inputs; pauses between chunks."""
    chunk = examples_at_once(teacher, inputs, _CHUNK_BYTES)
    parts = []
    for start in range(0, inputs.count, chunk):
        with torch.no_grad():
            parts.append(teacher(inputs.slice(start, min(inputs.count, start + chunk))).contiguous())
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
    return {"transfer_agreement": said.score, **task.followed(answers)}
