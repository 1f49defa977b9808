"""Chunks of training steps: on a CPU one call after another, on a GPU as few launches as can be, and no wait."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from trainables.config import TrainingConfig
from trainables.moving import to_device
from trainables.precision import computing
from trainables.stack.dropout import masks_ahead
from trainables.stack.model import StackedModel
from trainables.training.examples import Examples
from trainables.training.graphs import StepGraphs, StepOutputs
from trainables.training.updates import Updates

AfterStep = Callable[[StackedModel, float | Tensor], None]
# → inputs [P, A, B, …] and targets [P, A, B, …] of P batches for each of A networks.
Gather = Callable[[], tuple[Tensor, Tensor]]


class Steps:
    """Does a chunk of steps, one a batch.

    On a GPU rates lie on the device, what a step has to say is kept until the end of its chunk, and chunks of the same
    shape are replayed as a CUDA graph.

    Args:
        recipe: How networks are trained.
        examples: What they are fitted to.
        updates: Of their weights.
        after_step: As of `Training`.
        counts_correct: Whether right answers are counted.

    Attributes:
        model: The networks that train.
    """

    def __init__(
        self,
        model: StackedModel,
        recipe: TrainingConfig,
        examples: Examples,
        updates: Updates,
        *,
        after_step: AfterStep | None,
        counts_correct: bool,
    ) -> None:
        self.recipe, self.examples, self.updates = recipe, examples, updates
        self.after_step, self.counts_correct = after_step, counts_correct
        self._loss = examples.loss(recipe.label_smoothing)
        self._device = examples.targets.device
        self._graphs = StepGraphs()
        self.model = model

    def turn_to(self, model: StackedModel) -> None:
        """Goes on with these networks; also where weights or the optimizer's state were put to other places."""
        self._graphs.forget()
        self.model = model

    def run(self, shape: Sequence[int], gather: Gather, rates: Sequence[float]) -> StepOutputs:
        """The summed loss and the number of right answers of each network, [A], and which were right, [P, A, B].

        None for the last where answers are not counted. On a GPU valid until the next call.

        Args:
            shape: [P, A, B].
            gather: Called once.
            rates: [P], of the learning.
        """
        self.model.train()
        with computing(self.recipe.precision, self._device):
            if self._device.type == "cuda":
                summed = self._graphs.run(self._on_device, shape, gather, to_device(rates, self._device))
            else:
                summed = self._on_host(*gather(), rates)
        self.model.eval()
        return summed

    def _on_host(self, inputs: Tensor, targets: Tensor, rates: Sequence[float]) -> StepOutputs:
        # Small tensors that stay, between large ones that go, would keep the heap from being used again.
        all_losses = inputs.new_empty(targets.shape[:3])
        all_right = targets.new_empty(targets.shape[:3], dtype=torch.bool)
        wanted = self._right_classes(targets)
        for step, (x, y, lr) in enumerate(zip(inputs, targets, rates, strict=True)):
            logits, all_losses[step] = self._step(x, y, lr)
            if self.counts_correct:
                torch.eq(logits.argmax(dim=2), wanted[step], out=all_right[step])
        summed = all_losses.double().sum(dim=(0, 2))
        if not self.counts_correct:
            return summed, torch.zeros_like(summed, dtype=torch.int64), None
        return summed, all_right.sum(dim=(0, 2)), all_right

    def _on_device(self, inputs: Tensor, targets: Tensor, rates: Tensor) -> StepOutputs:
        with masks_ahead(self.model, len(inputs)):
            said = [self._step(x, y, lr) for x, y, lr in zip(inputs, targets, rates, strict=True)]
        summed = torch.stack([losses for _, losses in said]).sum(dim=(0, 2), dtype=torch.float64)
        if not self.counts_correct:
            return summed, torch.zeros_like(summed, dtype=torch.int64), None
        right = torch.stack([logits for logits, _ in said]).argmax(dim=3) == self._right_classes(targets)
        return summed, right.sum(dim=(0, 2)), right

    def _step(self, x: Tensor, y: Tensor, lr: float | Tensor) -> tuple[Tensor, Tensor]:
        """Logits [A, B, classes] and losses [A, B]."""
        said = self.updates.step(self.model, x, y, self._loss, lr)
        if self.after_step is not None:
            self.after_step(self.model, lr)
        return said

    def _right_classes(self, targets: Tensor) -> Tensor:
        """Classes that are right."""
        return targets.argmax(dim=3) if self.examples.soft and self.counts_correct else targets
