"""What measures may look at in a stack of trained networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from trainables.looking.features import features
from trainables.looking.gradients import hessian_products
from trainables.looking.places import module_of, weight_names
from trainables.looking.scoring import Sample, Scoring
from trainables.stack.model import StackedModel

State = Literal["now", "initial", "dense", "twin"]
Split = Literal["train", "val"]
_TOGETHER = 256


class Look(Scoring):
    """As criteria see a stack, and more: never test data. What nobody asks for is never computed.

    Args:
        stack: K networks; measures leave them as they are.
        level: 0 for dense networks, and while they train.
        epoch: While they train, after which epoch; None afterwards.
        dense: Makes the same units as they were when the dense training had ended; None where units do not come from
            dense networks, or those were not kept.
        twin: Makes K networks, each the twin of one of the stack (of a replicate its control and the other way round);
            None where there are no twins.
        masks: Parameter → bool of its shape, True where kept; None: all are.
        validation: Draws validation examples, the same for all networks.
        teacher: The hidden units [units, inputs] of a network that made the labels; None where none did.
        **seen: As for `Scoring`.
    """

    def __init__(
        self,
        stack: StackedModel,
        *,
        level: int = 0,
        epoch: int | None = None,
        dense: Callable[[], StackedModel | None] = lambda: None,
        twin: Callable[[], StackedModel | None] = lambda: None,
        masks: Mapping[str, Tensor] | None = None,
        validation: Callable[[], Sample],
        teacher: Tensor | None = None,
        **seen: Any,
    ) -> None:
        super().__init__(stack, **seen)
        self.level, self.epoch, self.masks, self.teacher = level, epoch, masks, teacher
        self._dense, self._twin, self._validation = dense, twin, validation

    @cached_property
    def validation(self) -> Sample:
        """Validation examples, with clean labels."""
        return self._validation()

    def state(self, which: State) -> StackedModel | None:
        """The stack now, before training, when the dense training had ended, or of the twins; None where there is none.

        What is initial is so for the units that are left, masked as they are.
        """
        if which == "now":
            return self.stack
        made = {"initial": self._start, "dense": self._dense, "twin": self._twin}
        return self.once(("state", which), made[which])

    def features(self, which: State = "now", on: Split = "train") -> dict[str, Tensor]:
        """Layer → what its units answer [K, n, units], of a channel its mean over places.

        The first is `inputs`, all pixels; then the groups of hidden units after their ReLU; the last `outputs`, logits.
        {} where there is no such state.
        """

        def make() -> dict[str, Tensor]:
            stack = self.state(which)
            inputs = (self.sample if on == "train" else self.validation).inputs
            return {} if stack is None else features(stack, inputs)

        return self.once(("features", which, on), make)

    def matrices(self, which: State = "now") -> dict[str, Tensor]:
        """Layer → its weights [K, outputs, inputs], those of a convolution [K, channels, incoming · places].

        {} where there is no such state.
        """
        stack = self.state(which)
        if stack is None:
            return {}
        tensors = stack.tensors()
        return {module_of(name): as_matrix(tensors[name]) for name in weight_names(stack)}

    def with_matrices(self, matrices: Mapping[str, Tensor]) -> StackedModel:
        """The stack with other weights in some layers; all else is as it is."""
        tensors = self.stack.tensors()
        changed = {f"{layer}.weight": matrix for layer, matrix in matrices.items()}
        made = {name: from_matrix(matrix, tensors[name]).to(tensors[name].dtype) for name, matrix in changed.items()}
        return self.stack.with_tensors(tensors | made)

    def scores(self, stack: StackedModel) -> Tensor:
        """[K] float64, the task's score (accuracy, R²) of K networks on the sample, labels as given."""
        sample = self.sample
        return sample.task.scores(sample.task.answers(outputs(stack, sample.inputs)), sample.labels)

    @property
    def chance(self) -> Tensor:
        """[K] float64, the best score on the sample without looking at the inputs."""
        return self.sample.task.chance(self.sample.labels.cpu(), int(self.features()["outputs"].shape[2]))

    def hessian_product(self, vectors: dict[str, Tensor], examples: int) -> dict[str, Tensor]:
        """Parameter → H·v, H the Hessian of each network's mean loss over the first examples of the sample."""
        some = self.sample.first(examples)
        return hessian_products(self.stack, some.batches, some.count, vectors, some.loss())

    def _start(self) -> StackedModel | None:
        try:
            return self.initial
        except ValueError:  # units that come from no dense network
            return None


def as_matrix(weight: Tensor) -> Tensor:
    """[K, I, O] of an affine map or [K, O, I, k, k] of a convolution → [K, O, I…]."""
    return weight.mT if weight.ndim == 3 else weight.flatten(2)


def from_matrix(matrix: Tensor, like: Tensor) -> Tensor:
    """The other way round, in the shape of `like`."""
    return matrix.mT if like.ndim == 3 else matrix.reshape(like.shape)


def outputs(stack: StackedModel, inputs: Tensor) -> Tensor:
    """Logits [K, n, outputs] of inputs [K, n, C, H, W]."""
    with torch.no_grad():
        return torch.cat([stack.answers(part) for part in torch.split(inputs, _TOGETHER, dim=1)], dim=1)
