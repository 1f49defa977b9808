"""What can be done to data so that it has to be memorised: kinds of label noise and of inputs. Torch-free.

Each kind says itself what of the rule from inputs to labels it leaves to be learnt. Where all of it is left there is
nothing to memorise: such a condition is a placebo.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeVar

from trainables.config import is_clean
from trainables.registry import Entry, Registry

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from trainables.config import DataConfig

    Accuracy = TypeVar("Accuracy", float, Tensor)


class Noise(Entry, ABC):
    """Base of every module of `trainables/noises`: how the targets of a share of examples are replaced.

    It is for classes if it has `labels`, for numbers if it has `numbers`. Noise is nested: with the same generator, the
    examples put through it at a small share are among those at a larger one, with the same draws, so that noise levels
    are compared on the same luck. At share 0 nothing changes.

    Attributes:
        label: What labels under it are called where people read it; "" where it is the usual kind.
        leaves_rule: Whether targets remain a rule of the inputs, as learnable as the true one.
    """

    label: ClassVar[str]
    leaves_rule: ClassVar[bool] = False

    @classmethod
    def is_for(cls, *, has_classes: bool) -> bool:
        """Whether it means something for classes, or for numbers."""
        method = "labels" if has_classes else "numbers"
        return getattr(cls, method) is not getattr(Noise, method)

    def labels(self, labels: Tensor, share: float, num_classes: int, draws: torch.Generator) -> Tensor:
        """Labels [n] int64 after the noise, a new tensor.

        Args:
            labels: [n] int64, true labels.
            share: In 0 … 1.
            num_classes: At least 2.
            draws: CPU generator, the only source of randomness.
        """
        raise TypeError(f"{type(self).__name__} is no noise of classes")

    def numbers(self, targets: Tensor, share: float, draws: torch.Generator) -> Tensor:
        """Targets [n, outputs] float32 of a regression after the noise, a new tensor; an example's stay together."""
        raise TypeError(f"{type(self).__name__} is no noise of numbers")

    def renaming(self, share: float, num_classes: int, draws: torch.Generator) -> Tensor | None:
        """[C] int64, the label that each class is given, where that is all the noise does; None where it is not."""
        return None

    def iid_accuracy(self, share: float, accuracy: Accuracy, num_classes: int) -> Accuracy | None:
        """Expected accuracy on test labels as noisy as the training labels, from the accuracy on clean ones (or many).

        None where no formula holds: labels are no independent draws, or are known (`renaming`).
        """
        return None

    def iid_moments(self, targets: Tensor) -> tuple[Tensor, Tensor] | None:
        """Mean and variance [outputs] of the numbers that replace others, with the probability of the share.

        None where they are no independent draws.

        Args:
            targets: [n, outputs] float64, the true ones of training.
        """
        return None


class InputKind(Entry, ABC):
    """Base of every module of `trainables/input_kinds`: what networks see in place of the inputs.

    Attributes:
        label: What it is called where people read it.
        keeps_inputs: Whether inputs are the true ones.
        leaves_rule: Whether labels remain a rule of what networks see.
    """

    label: ClassVar[str]
    keeps_inputs: ClassVar[bool] = False
    leaves_rule: ClassVar[bool] = False

    @abstractmethod
    def inputs(self, images: Tensor, mean: Tensor, std: Tensor, seed: int, *names: str | int) -> Tensor:
        """What networks see, drawn once a trial: all its replicates see the same.

        Args:
            images: [n, C, H, W] uint8 or float32; a pixel is a position, its channels stay together when it moves.
            mean, std: [C] float32 in units of the images, of the true training ones.
            seed: The study's.
            names: Name of the draw: trial first, split last.
        Returns:
            [n, C, H, W], of the same kind.
        """


NOISES: Registry[Noise] = Registry("trainables.noises", Noise, "kind of noise")
INPUT_KINDS: Registry[InputKind] = Registry("trainables.input_kinds", InputKind, "kind of inputs")  # type: ignore[type-abstract]


def noise_of(config: DataConfig) -> Noise:
    """The kind of noise with the fields given for it."""
    return NOISES.get(config.noise_kind).model_validate(config.options_of("noise_kind"))


def input_kind_of(config: DataConfig) -> InputKind:
    """The kind of inputs with the fields given for it."""
    return INPUT_KINDS.get(config.inputs).model_validate(config.options_of("inputs"))


def is_placebo(label_noise: float, noise_kind: str, inputs: str) -> bool:
    """Whether a condition changes something and leaves a rule all the same, so that there is nothing to memorise."""
    learnable = INPUT_KINDS.get(inputs).leaves_rule and (label_noise == 0 or NOISES.get(noise_kind).leaves_rule)
    return learnable and not is_clean(label_noise, inputs)
