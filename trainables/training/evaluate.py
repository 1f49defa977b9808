"""Evaluation: what a stack says about examples. Nothing is changed, not even a random number drawn."""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.data.task import Task
from trainables.looking.margins import margins_in_steps
from trainables.pausing import Pausing
from trainables.stack.model import StackedModel
from trainables.training.chunks import examples_at_once
from trainables.training.inputs import Inputs

_CHUNK_BYTES = 8 << 20


@dataclass(frozen=True)
class Evaluation:
    """Loss and predictions of K networks on n examples.

    Args:
        task: What they were asked for.
        loss: [K] float64, mean loss: of classes cross-entropy in nats, of numbers squared error.
        predictions: [K, n, …], of classes [K, n] int64.
        labels: The same shape, what they were held against.
        margins: [K, n] int8, on these labels, as `margins_in_steps` has them; None where nobody asked.
    """

    task: Task
    loss: Tensor
    predictions: Tensor
    labels: Tensor
    margins: Tensor | None = None

    @property
    def score(self) -> Tensor:
        """[K] float64, the task's score: of classes accuracy, of numbers R²."""
        return self.task.scores(self.predictions, self.labels)

    def score_on(self, chosen: Tensor, labels: Tensor | None = None) -> Tensor:
        """[K] float64, score on the chosen examples ([K, n] bool), nan where there are none.

        `labels` ([n, …]) holds them against others than those of the evaluation.
        """
        return self.task.scores(self.predictions, self.labels if labels is None else labels, chosen)


def evaluating(
    model: StackedModel, inputs: Inputs, labels: Tensor, task: Task, *, margins: bool = False
) -> Pausing[Evaluation]:
    """Evaluates in chunks of examples, pausing between them.

    Args:
        model: K networks; left as they are.
        inputs: Of the same networks.
        labels: [n, …] or [K, n, …].
        task: What the networks are asked for.
        margins: Whether to take note of them.
    """
    networks, n = model.networks, inputs.count
    labels = labels.expand(networks, n, *(labels.shape[-1:] if not task.has_classes else ()))
    chunk = examples_at_once(model, inputs, _CHUNK_BYTES)
    loss = torch.zeros(networks, dtype=torch.float64, device=labels.device)
    # One tensor for all: small ones that stay, between large ones that go, would keep the heap from being used again.
    predictions = torch.empty(labels.shape, dtype=labels.dtype, device=labels.device)
    steps = torch.empty(labels.shape, dtype=torch.int8, device=labels.device) if margins else None
    of_examples = task.loss()
    for start in range(0, n, chunk):
        if start:
            yield
        with torch.no_grad():
            part = labels[:, start : start + chunk]
            logits = model.answers(inputs.slice(start, min(n, start + chunk)))
            losses, _ = of_examples(logits, part)
            loss += losses.double().sum(dim=1)
            predictions[:, start : start + chunk] = task.answers(logits)
            if steps is not None:
                steps[:, start : start + chunk] = margins_in_steps(logits, part)
    return Evaluation(task, loss / n, predictions, labels, steps)
