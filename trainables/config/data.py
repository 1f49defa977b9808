"""Which data networks are trained on, and what is done to them."""

import importlib
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from trainables.parts import EntrySection, Fraction, require_module


class DataConfig(EntrySection):
    """What the networks see. `label_noise`, `noise_kind` and `inputs` are the condition of a trial."""

    choosers: ClassVar[dict[str, str]] = {
        "name": "trainables.datasets",
        "noise_kind": "trainables.noises",
        "inputs": "trainables.input_kinds",
    }

    name: str = Field("digits", description="data set: a module of trainables/datasets")
    train_size: int | None = Field(None, ge=2, description="training examples; none takes all of the split")
    split: tuple[int, int, int] | None = Field(None, description="[train, val, test] sizes; none: the data set's own")
    label_noise: Fraction = Field(0.0, description="share of training labels put through the noise")
    noise_kind: str = Field("uniform", description="how a noisy label is drawn: a module of trainables/noises")
    noise_draw: Literal["replicate", "study"] = Field(
        "replicate", description="whether each network draws noisy labels of its own, or all of a study have the same"
    )
    subset: float = Field(
        1.0, gt=0, le=1, description="share of the training examples that each replicate is given, drawn at random"
    )
    copies: int = Field(
        1, ge=1, le=1000, description="how often each training example is there; noisy labels are drawn for each copy"
    )
    inputs: str = Field("true", description="what is done to the images: a module of trainables/input_kinds")

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        return require_module("trainables.datasets", "data set", name)

    @field_validator("noise_kind")
    @classmethod
    def _noise_kind(cls, name: str) -> str:
        return require_module("trainables.noises", "kind of noise", name)

    @field_validator("inputs")
    @classmethod
    def _inputs(cls, name: str) -> str:
        return require_module("trainables.input_kinds", "kind of inputs", name)

    @field_validator("split")
    @classmethod
    def _split(cls, split: tuple[int, int, int] | None) -> tuple[int, int, int] | None:
        if split is not None and min(split) < 1:
            raise ValueError("needs at least one example for each of train, val and test")
        return split

    @property
    def clean(self) -> bool:
        """True when the condition changes nothing, so that a control would be a copy."""
        return is_clean(self.label_noise, self.inputs)


def is_clean(label_noise: float, inputs: str) -> bool:
    """Whether a condition changes nothing."""
    return label_noise == 0 and bool(importlib.import_module(f"trainables.input_kinds.{inputs}").ENTRY.keeps_inputs)
