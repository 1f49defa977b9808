"""Which network is trained, and how large it is: the section `model` of a configuration. Torch-free."""

import importlib
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from trainables.explain import in_field
from trainables.listing import names_in
from trainables.parts import EntrySection, require_module


class ModelConfig(EntrySection):
    """The network: its family and its size.

    `width` is the units of each hidden layer of an `mlp` (128 unless given). Of every other model it is the width of
    the first scalable layer (units, or channels of a convolution or of the first stage), the published one unless
    given; all its other layers keep their proportion to it. So width over the published width is the multiplier.
    """

    choosers: ClassVar[dict[str, str]] = {"name": "trainables.models"}

    name: str = Field("mlp", description="model: a module of trainables/models")
    width: int = Field(
        128, ge=1, le=65536, description="units or channels of the first layers; unless given, the model's own"
    )
    hidden_layers: int = Field(2, ge=1, le=64, description="number of hidden layers of an mlp")
    init: Literal["he", "glorot"] = Field(
        "he", description="deviation of the normal initial weights: √(2/inputs), or √(2/(inputs + outputs)) of a unit"
    )
    init_scale: float = Field(
        1.0, gt=0, le=100, description="factor on the initial weights; 0.3 leaves the lazy regime"
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="rate in training: after hidden layers, between convolutions of residual blocks"
    )

    tied_units: float = Field(
        0.0, ge=0, lt=1, description="share of the units there that training has for examples tied to them alone"
    )
    tied_examples: float = Field(
        0.1, gt=0, le=1, description="share of the training examples that each tied unit is tied to"
    )

    @field_validator("name")
    @classmethod
    def _name(cls, name: str) -> str:
        return require_module("trainables.models", "model", name)

    @model_validator(mode="before")
    @classmethod
    def _width_is_the_models_own(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "width" in values or values.get("name") not in names_in("trainables.models"):
            return values
        return {**values, "width": _model(values["name"]).default_width}

    @model_validator(mode="after")
    def _hidden_layers_are_used(self) -> Self:
        default = type(self).model_fields["hidden_layers"].default
        if self.hidden_layers != default and "hidden_layers" not in _model(self.name).reads:
            raise in_field("hidden_layers", f"{self.name} has its own layers; leave hidden_layers at {default}")
        return self


def _model(name: str) -> Any:
    return importlib.import_module(f"trainables.models.{name}").ENTRY
