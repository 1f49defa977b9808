"""Evaluation: what a stack says about examples. Nothing is changed, not even a random number drawn."""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainables.pausing import Pausing
from trainables.stack.model import StackedModel
from trainables.training.chunks import examples_at_once
from trainables.training.inputs import Inputs
from trainables.training.losses import cross_entropy

_CHUNK_BYTES = 8 << 20


@dataclass(frozen=True)
class Evaluation:
    """Loss and predictions of K networks on n examples.

    Args:
        loss: [K] float64, mean cross-entropy in nats.
        predictions: [K, n] int64.
        labels: [K, n] int64, what they were held against.
    """

    loss: Tensor
    predictions: Tensor
    labels: Tensor

    @property
    def correct(self) -> Tensor:
        """[K, n] bool."""
        return self.predictions == self.labels

    @property
    def accuracy(self) -> Tensor:
        """[K] float64."""
        return self.correct.double().mean(dim=1)

    def accuracy_on(self, chosen: Tensor, labels: Tensor | None = None) -> Tensor:
        """[K] float64, accuracy on the chosen examples ([K, n] bool), nan where there are none.

        `labels` ([n] int64) holds them against others than those of the evaluation.
        """
        correct = self.correct if labels is None else self.predictions == labels
        return (correct & chosen).sum(dim=1).double() / chosen.sum(dim=1).double()


def evaluating(model: StackedModel, inputs: Inputs, labels: Tensor) -> Pausing[Evaluation]:
    """Evaluates in chunks of examples, pausing between them.

    Args:
        model: K networks; left as they are.
        inputs: Of the same networks.
        labels: [n] or [K, n] int64.
    """
    networks, n = model.networks, inputs.count
    labels = labels.expand(networks, n)
    chunk = examples_at_once(model, inputs, _CHUNK_BYTES)
    loss = torch.zeros(networks, dtype=torch.float64, device=labels.device)
    # One tensor for all: small ones that stay, between large ones that go, would keep the heap from being used again.
    predictions = torch.empty(networks, n, dtype=torch.int64, device=labels.device)
    for start in range(0, n, chunk):
        if start:
            yield
        with torch.no_grad():
            part = labels[:, start : start + chunk]
            logits = model.answers(inputs.slice(start, min(n, start + chunk)))
            losses, _ = cross_entropy(logits, part)
            loss += losses.double().sum(dim=1)
            predictions[:, start : start + chunk] = logits.argmax(dim=2)
    return Evaluation(loss / n, predictions, labels)
