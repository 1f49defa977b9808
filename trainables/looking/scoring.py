"""What criteria may look at when a level is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor

from trainables.data.task import Task
from trainables.looking.activations import Activations, activations
from trainables.looking.gradients import (
    SummedLoss,
    hessian_products,
    mean_gradients,
    squared_gradients,
    synaptic_flow,
)
from trainables.looking.places import own_biases
from trainables.stack.model import StackedModel, UnitGroup

T = TypeVar("T")
Weights = Literal["trained", "initial"]
# Enough that the ranking of units hardly moves with the draw, little enough to cost less than an epoch.
SAMPLE_EXAMPLES = 512
_BATCH = 64


@dataclass(frozen=True)
class Sample:
    """Training examples of K networks, with the labels that each was given.

    Args:
        inputs: [K, n, C, H, W] float32, normalised.
        labels: [K, n, …].
        task: What networks are asked for.
        truth: [K, n, …], the true labels; None where nobody knows them.
        index: [K, n], which of the training examples they are; None where they are others.
    """

    inputs: Tensor
    labels: Tensor
    task: Task
    truth: Tensor | None = None
    index: Tensor | None = None

    @property
    def count(self) -> int:
        """n."""
        return int(self.labels.shape[1])

    @property
    def kept_mask(self) -> Tensor:
        """[K, n] bool, where the label given is the true one; everywhere if nobody knows."""
        if self.truth is None:
            return self.labels.new_ones(self.labels.shape[:2], dtype=torch.bool)
        return (self.labels == self.truth).reshape(*self.labels.shape[:2], -1).all(dim=2)

    def first(self, count: int) -> Sample:
        """The first `count` examples, or all if there are fewer."""
        truth, index = (None if t is None else t[:, :count] for t in (self.truth, self.index))
        return Sample(self.inputs[:, :count], self.labels[:, :count], self.task, truth, index)

    def select(self, networks: Sequence[int]) -> Sample:
        """Those of some of the networks."""
        some = list(networks)
        truth, index = (None if t is None else t[some] for t in (self.truth, self.index))
        return Sample(self.inputs[some], self.labels[some], self.task, truth, index)

    def loss(self, temperature: float = 1.0) -> SummedLoss:
        """The task's, with its graph."""
        return partial(self.task.graph_loss, temperature=temperature)

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs [K, ≤ 64, C, H, W] and labels [K, ≤ 64, …], in order."""
        for start in range(0, self.count, _BATCH):
            yield self.inputs[:, start : start + _BATCH], self.labels[:, start : start + _BATCH]


class Scoring:
    """Everything that scores may depend on: never validation or test data. What nobody asks for is never computed.

    Args:
        stack: K networks as the last level left them; criteria leave them as they are.
        initial: Makes the same units and weights as they were before training.
        movement: Makes for the same weights −Σ w·g over the dense training; None where that was not traced.
        sample: Draws a bounded sample of training examples, the same at every level; a replicate's and its control's
            are the same examples.
        draws: Part (a group's or tensor's name), network → a fresh generator of its own for this level, equal for a
            replicate and its control: the only source of randomness.
        input_shape: [C, H, W] of one example.
    """

    def __init__(
        self,
        stack: StackedModel,
        *,
        initial: Callable[[], StackedModel],
        movement: Callable[[], StackedModel | None] = lambda: None,
        sample: Callable[[], Sample],
        draws: Callable[[str, int], torch.Generator],
        input_shape: tuple[int, ...],
    ) -> None:
        self.stack, self.draws, self.input_shape = stack, draws, input_shape
        self._initial, self._sample, self._movement = initial, sample, movement
        self._made: dict[tuple[object, ...], Any] = {}

    @cached_property
    def movement(self) -> StackedModel | None:
        """In place of each weight −Σ w·g over the dense training; None where that was not traced."""
        return self._movement()

    @cached_property
    def initial(self) -> StackedModel:
        """The stack's own units and weights as they were before training."""
        return self._initial()

    @cached_property
    def sample(self) -> Sample:
        """The training examples."""
        return self._sample()

    def at(self, weights: Weights) -> StackedModel:
        """The stack as it is or as it was before training."""
        return self.stack if weights == "trained" else self.initial

    def gradients(self, weights: Weights = "trained", temperature: float = 1.0) -> dict[str, Tensor]:
        """Parameter → gradient of each network's mean loss over the sample."""
        return self.once(
            ("gradients", weights, temperature),
            lambda: mean_gradients(
                self.at(weights), self.sample.batches(), self.sample.count, self.sample.loss(temperature)
            ),
        )

    def hessian_gradients(self, weights: Weights, temperature: float) -> dict[str, Tensor]:
        """Parameter → Hessian times gradient of the same loss."""
        return self.once(
            ("hessian", weights, temperature),
            lambda: hessian_products(
                self.at(weights),
                self.sample.batches,
                self.sample.count,
                self.gradients(weights, temperature),
                self.sample.loss(temperature),
            ),
        )

    def fisher(self, examples: int) -> dict[str, Tensor]:
        """Parameter → diagonal of the empirical Fisher matrix on the first examples of the sample."""

        def compute() -> dict[str, Tensor]:
            some = self.sample.first(examples)
            return squared_gradients(self.stack, some.inputs, some.labels, some.loss())

        return self.once(("fisher", examples), compute)

    def synaptic_flow(self, weights: Weights) -> dict[str, Tensor]:
        """Parameter → its synaptic flow, float64; needs no data."""
        return self.once(("flow", weights), lambda: synaptic_flow(self.at(weights), self.input_shape))

    def activations(self, group: UnitGroup) -> Activations:
        """Activations of the group's units on the sample, with the gradients of each example's loss."""
        return self.once(
            ("activations", group.name),
            lambda: activations(self.stack, group, self.sample.inputs, self.sample.labels, self.sample.loss()),
        )

    def once(self, name: tuple[object, ...], make: Callable[[], T]) -> T:
        """What `make` returned when first asked for under this name."""
        if name not in self._made:
            self._made[name] = make()
        value: T = self._made[name]
        return value

    def incoming(self, group: UnitGroup, values: Callable[[str], Tensor]) -> Tensor:
        """[K, units, weights a unit]: values of the weights that lead into each unit.

        Weights are those of the layer itself; the scale of a batch norm that follows is not folded in, so that norms of
        such layers compare as in the papers, not by what the units put out (`batch_norm_scale` looks at that).

        Args:
            values: Name of a tensor of weights → a value for each of them.
        """
        named = {name: values(name) for name in group.weights}
        return self.stack.with_tensors(self.stack.tensors() | named).incoming_weights(group)

    def incoming_products(self, group: UnitGroup, slopes: Mapping[str, Tensor]) -> Tensor:
        """[K, units]: Σ slope · w over a unit's incoming weights and its bias.

        Args:
            slopes: Parameter → the derivative of something by it.
        """
        tensors = self.stack.tensors()
        products = self.incoming(group, lambda name: slopes[name] * tensors[name]).sum(dim=2)
        for bias in own_biases(self.stack, group):
            products = products + (slopes[bias] * tensors[bias]).reshape(products.shape)
        return products
