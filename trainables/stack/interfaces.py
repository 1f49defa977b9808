"""What a model is, and the registry of models. Torch-free, so that configurations are checked quickly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from trainables.registry import Entry, Registry

if TYPE_CHECKING:
    import torch

    from trainables.config import ModelConfig, TrialConfig
    from trainables.stack.model import StackedModel

Shape = tuple[int, ...]


class Model(Entry, ABC):
    """Base of every module of `trainables/models`; its fields are set as `model.<name>.<field>`.

    A network's size is given by its widths: the units of each prunable group, from input to output.

    Attributes:
        default_width: `model.width` unless given.
    """

    default_width: ClassVar[int] = 128

    @abstractmethod
    def widths(self, config: ModelConfig) -> Shape:
        """Widths of the dense network."""

    @abstractmethod
    def parameter_count(self, widths: Shape, input_shape: Shape, num_classes: int) -> int:
        """Parameters of one network, biases and classifier included."""

    @abstractmethod
    def weight_counts(self, widths: Shape, input_shape: Shape, num_classes: int) -> Shape:
        """Weights of each matrix and kernel, in the order of the stack's parameters; the last is the classifier's."""

    @abstractmethod
    def multiply_adds(self, widths: Shape, input_shape: Shape, num_classes: int) -> int:
        """Multiply-adds of one network on one example; biases and activations not counted."""

    @abstractmethod
    def build(
        self,
        config: ModelConfig,
        widths: Shape,
        input_shape: Shape,
        num_classes: int,
        draws: Sequence[torch.Generator],
    ) -> StackedModel:
        """A stack of fresh networks of these widths, one a generator; network k depends on generator k alone.

        Of `config` only fields that leave the sizes alone matter: `init`, `init_scale`, `dropout`, and tied units.
        """


MODELS: Registry[Model] = Registry("trainables.models", Model, "model")  # type: ignore[type-abstract]


def model_of(config: TrialConfig) -> Model:
    """The model of a trial, with the fields given for it."""
    return MODELS.get(config.model.name).model_validate(config.model.options(config.model.name))
