"""How networks are trained: the section `training` of a configuration. Torch-free."""

import importlib
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from trainables.explain import in_field
from trainables.parts import EntrySection, Fraction, require_module


class TrainingConfig(EntrySection):
    """Dense training. Each network of a stack freezes at the end of the first epoch that meets a stop rule."""

    choosers: ClassVar[dict[str, str]] = {"optimizer": "trainables.optimizers", "schedule": "trainables.schedules"}

    epochs: int = Field(400, ge=1, description="most epochs; means nothing where `steps` is given")
    steps: int | None = Field(None, ge=1, description="instead of epochs: most steps, a batch each")
    batch_size: int = Field(50, ge=1, description="examples a step")
    optimizer: str = Field("sgd", description="a module of trainables/optimizers")
    lr: float = Field(0.05, gt=0, description="peak learning rate")
    momentum: float = Field(0.9, ge=0, lt=1, description="of SGD; Adam's beta1")
    nesterov: bool = Field(False, description="look ahead along SGD's momentum")
    weight_decay: float = Field(0.0, ge=0, description="factor on Σw²/2 beside the loss, as the optimizer takes it")
    l1: float = Field(0.0, ge=0, description="factor on Σ|w| beside the loss, by its subgradient")
    clip_norm: float | None = Field(None, gt=0, description="largest norm of each network's gradient")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of each target spread evenly over all classes")
    schedule: str = Field("constant", description="of the learning rate over steps: a module of trainables/schedules")
    step_at: tuple[Fraction, ...] = Field(
        (0.5, 0.75), description="of schedule=step: shares of the training after which the rate drops"
    )
    step_factor: float = Field(0.1, gt=0, lt=1, description="of schedule=step: what it is multiplied by there")
    warmup_epochs: float = Field(0.0, ge=0, description="the rate rises linearly to lr over so many epochs")
    trains: Literal["all", "first"] = Field(
        "all", description="layers of dense networks that learn: all, or the first while others stay as drawn"
    )
    augment: Literal["none", "flip", "crop", "flip+crop"] = Field(
        "none", description="of training images: mirrored, moved by up to an eighth of their side; clean labels only"
    )
    precision: Literal["fp32", "tf32", "bf16"] = Field(
        "fp32", description="of products in dense and other training; all but fp32 need a GPU"
    )
    stop_at_train_loss: float | None = Field(
        0.01, gt=0, description="mean of an epoch: cross-entropy in nats; of numbers squared error, 0.01 is R² = 0.99"
    )
    stop_at_train_accuracy: float | None = Field(None, gt=0, le=1, description="of an epoch; for classes only")

    @model_validator(mode="before")
    @classmethod
    def _steps_replace_epochs(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("steps") is not None and "epochs" in values:
            default = cls.model_fields["epochs"].default
            if values["epochs"] != default:
                said = f"steps and epochs exclude each other; leave epochs at {default}, or steps at none"
                raise in_field("steps", said)
        return values

    @field_validator("optimizer")
    @classmethod
    def _optimizer(cls, name: str) -> str:
        return require_module("trainables.optimizers", "optimizer", name)

    @field_validator("schedule")
    @classmethod
    def _schedule(cls, name: str) -> str:
        return require_module("trainables.schedules", "schedule", name)

    @model_validator(mode="after")
    def _what_stays_is_not_penalised(self) -> Self:
        for name in ("weight_decay", "l1"):
            if self.trains != "all" and getattr(self, name):
                said = f"{name}={getattr(self, name):g} would move layers that trains={self.trains} leaves as they are"
                raise in_field(name, f"{said}; leave it at 0")
        return self

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov:
            reads = importlib.import_module(f"trainables.optimizers.{self.optimizer}").ENTRY.reads
            if "nesterov" not in reads or self.momentum == 0:
                said = "nesterov=true looks ahead along SGD's momentum; take optimizer=sgd, momentum>0"
                raise in_field("nesterov", said)
        return self
