"""The configuration of one trial: typed, frozen, unknown keys refused.

The dotted paths of these fields (`data.label_noise`, `compression.prune.…`) are at once the keys of a search space, the
parameter names in MLflow and the keys of `--set`. Fields that only one entry of a registry has live under that entry's
name: `compression.distill.epochs` belongs to `trainables/compression/methods/distill.py`.
"""

import hashlib
import importlib
import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from trainables.data.config import DataConfig
from trainables.dotted import flatten, unflatten
from trainables.explain import in_field
from trainables.listing import names_in
from trainables.looking.config import MeasuresConfig
from trainables.parts import NAMED_FILE, ConfigSection, EntrySection, require_module
from trainables.training.config import TrainingConfig

__all__ = [
    "CompressionConfig",
    "DataConfig",
    "MeasuresConfig",
    "ModelConfig",
    "TrainingConfig",
    "TrialConfig",
    "flatten",
    "unflatten",
]
Ratio = Literal["parameters", "description_length"]
ScratchBudget = Literal["recovery", "dense", "total"]
# Fields that begin so decide what the dense networks of a trial are; how many there are is not among them.
SHAPING = ("data.", "model.", "training.")


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


class CompressionConfig(EntrySection):
    """How a trained network is squeezed: the instrument of a trial."""

    choosers: ClassVar[dict[str, str]] = {
        "method": "trainables.compression.methods",
        "criterion": "trainables.compression.criteria",
        "recovery": "trainables.compression.recoveries",
        "transfer": "trainables.compression.transfers",
    }

    method: str = Field(
        "prune", description="a module of trainables/compression/methods, or several joined by +: prune+quantize"
    )
    criterion: str = Field("magnitude_l2", description="a module of trainables/compression/criteria")
    granularity: Literal["unit", "weight"] = Field("unit", description="what is removed")
    scope: Literal["layer", "global"] = Field("layer", description="where scores compete")
    direction: Literal["lowest", "highest"] = Field("lowest", description="which scores go first")
    target_ratio: float | None = Field(16.0, gt=1, le=1e6, description="parameter ratio of the last level")
    rate: float | None = Field(None, gt=0, lt=1, description="instead of target_ratio: share of units removed a level")
    depth: int = Field(6, ge=1, le=100, description="levels; 1 is one shot")
    recovery: str = Field(
        "none", description="what follows each compression step: a module of trainables/compression/recoveries"
    )
    recovery_epochs: int = Field(0, ge=0, description="training epochs of the recovery, a total split over the levels")
    recovery_lr: float | None = Field(None, gt=0, description="peak rate of the recovery; none: of dense training")
    recovery_schedule: str | None = Field(
        None, description="of that rate over a level's epochs; none: constant with finetune, else as in dense training"
    )
    scratch_budget: ScratchBudget = Field(
        "recovery", description="training of the scratch arm: as the level's recovery or method, the dense one, or both"
    )
    rewind_to: float = Field(
        0.0, ge=0, description="epochs of dense training after which the weights are taken that networks rewind to"
    )
    ticket: Annotated[str | None, NAMED_FILE] = Field(
        None, description="a file of tickets whose masks and weights take the place of this trial's own"
    )
    transfer: str = Field(
        "noise", description="inputs a student is fitted on: a module of trainables/compression/transfers"
    )
    ratio: Ratio | None = Field(
        None, description="what curves are drawn against; none: parameters, description_length with quantize or share"
    )
    auc_log2_ratio: float | None = Field(
        None, gt=0, description="L of compressibility/auc; none: log2(target_ratio), or as far as all trials reach"
    )

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of the pipeline, in their order; most often one."""
        return tuple(self.method.split("+"))

    @property
    def curve_ratio(self) -> Ratio:
        """The ratio that curves are drawn against."""
        if self.ratio is not None:
            return self.ratio
        package = "trainables.compression.methods"
        stages = [importlib.import_module(f"{package}.{name}").ENTRY.stage for name in self.methods]
        return "description_length" if "code" in stages else "parameters"

    @field_validator("method")
    @classmethod
    def _method(cls, names: str) -> str:
        for name in names.split("+"):
            require_module("trainables.compression.methods", "compression method", name)
        return names

    @field_validator("criterion")
    @classmethod
    def _criterion(cls, name: str) -> str:
        return require_module("trainables.compression.criteria", "criterion", name)

    @field_validator("recovery")
    @classmethod
    def _recovery(cls, name: str) -> str:
        return require_module("trainables.compression.recoveries", "recovery", name)

    @field_validator("recovery_schedule")
    @classmethod
    def _recovery_schedule(cls, name: str | None) -> str | None:
        return name and require_module("trainables.schedules", "schedule", name)

    @field_validator("transfer")
    @classmethod
    def _transfer(cls, name: str) -> str:
        return require_module("trainables.compression.transfers", "kind of transfer inputs", name)

    @model_validator(mode="before")
    @classmethod
    def _rate_replaces_target(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("rate") is not None:
            if values.get("target_ratio") is not None:
                raise ValueError("rate and target_ratio exclude each other; give one of them")
            return {**values, "target_ratio": None}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.rate is None and self.target_ratio is None:
            raise ValueError("target_ratio is none and no rate is given; give one of them")
        trains = importlib.import_module(f"trainables.compression.recoveries.{self.recovery}").ENTRY.trains
        if trains != (self.recovery_epochs > 0):
            raise ValueError(
                f"recovery={self.recovery} does not fit recovery_epochs={self.recovery_epochs}: "
                "'none' goes with 0, every other recovery needs at least 1"
            )
        return self


class TrialConfig(ConfigSection):
    """One trial: what is trained on what, how it is compressed, how often it is replicated.

    `seed` is the study's; the trial's draws also depend on its number (see `trainables.seeding`).
    """

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    compression: CompressionConfig = CompressionConfig()
    measures: MeasuresConfig = MeasuresConfig()
    replicates: int = Field(5, ge=1, le=1024, description="networks that differ only in their seed")
    control: bool = Field(True, description="train a clean twin beside each replicate")
    examples: Literal["auto", "always", "never"] = Field(
        "auto", description="record what networks say of each training example; auto: where data.subset is less than 1"
    )
    seed: int = Field(0, ge=0, lt=2**53, description="of all draws; of the study, so never set nor spanned: --seed N")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        importlib.import_module("trainables.compression.combinations").check(self)
        return self

    @property
    def networks(self) -> int:
        """Replicates and controls together."""
        return self.replicates * (2 if self.has_control else 1)

    @property
    def has_control(self) -> bool:
        """Whether twins are trained: asked for, and the data are not clean already."""
        return self.control and not self.data.clean

    def flat(self) -> dict[str, Any]:
        """Dotted name → value for every field, defaults included; JSON types only."""
        return flatten(self.model_dump(mode="json"))

    def fingerprint(self) -> str:
        """16 hex digits that identify the configuration.

        Hashes only what differs from the defaults, so that a new field whose default changes nothing leaves the
        fingerprints of earlier trials alone.
        """
        return _digest(self._changed_fields())

    def dense_fingerprint(self) -> str:
        """Likewise of all that shapes the dense networks: trials that differ in how they compress have the same one."""
        return _digest({name: value for name, value in self._changed_fields().items() if name.startswith(SHAPING)})

    def _changed_fields(self) -> dict[str, Any]:
        usual = defaults()
        return {k: v for k, v in self.flat().items() if k not in usual or usual[k] != v}


@cache
def defaults() -> Mapping[str, Any]:
    """Dotted name → value of the fields of every trial, where nothing is set."""
    return MappingProxyType(TrialConfig().flat())


def _digest(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]
