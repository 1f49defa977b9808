"""How trained networks are compressed: the section `compression` of a configuration. Torch-free."""

import importlib
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from trainables.parts import NAMED_FILE, EntrySection, require_module

Ratio = Literal["parameters", "description_length"]
ScratchBudget = Literal["recovery", "dense", "total"]


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
