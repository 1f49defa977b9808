"""What a field takes from trial to trial: a list of choices, or a range."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from trainables.parts import ConfigSection

if TYPE_CHECKING:  # every process of a study loads its space, few sample from it, and Optuna takes a fifth of a second
    from optuna.distributions import BaseDistribution

Scalar = bool | int | float | str | None


class Span(ConfigSection):
    """What a field takes from trial to trial.

    `when` says with which values of other fields it means something at all: name → values. In other trials the field is
    left at its default, and is no parameter of theirs.
    """

    when: dict[str, tuple[Scalar, ...]] = Field(default_factory=dict)

    @field_validator("when", mode="before")
    @classmethod
    def _lists(cls, when: Any) -> Any:
        if not isinstance(when, Mapping):
            return when
        return {name: value if isinstance(value, list | tuple) else (value,) for name, value in when.items()}

    @model_serializer(mode="wrap")
    def _without_empty_when(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Spaces without conditions look as they did before there were any: their studies stay the same."""
        found: dict[str, Any] = handler(self)
        return found if self.when else {name: value for name, value in found.items() if name != "when"}


class Choices(Span):
    """A list of values to span, as in `--set data.label_noise=0,0.5,1`."""

    values: tuple[Scalar, ...] = Field(min_length=1)

    def distribution(self) -> "BaseDistribution":
        """As Optuna sees it."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.values)

    def count(self) -> float:
        """How many values there are."""
        return len(self.values)

    def corners(self) -> list[Scalar]:
        """Values whose validity implies that of all others."""
        return list(self.values)


class Range(Span):
    """An interval to span, ends included, as in `--set model.width=16..512:log`."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _require_order(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"the range {self.low}..{self.high} is empty; write the smaller end first")
        if self.log and self.low <= 0:
            raise ValueError(f"a log range must start above 0, not at {self.low}")
        return self

    def distribution(self) -> "BaseDistribution":
        """As Optuna sees it; integer if both ends were written as integers."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, log=self.log)
        return FloatDistribution(float(self.low), float(self.high), log=self.log)

    def count(self) -> float:
        """How many values there are: infinitely many unless both ends were written as integers."""
        return self.high - self.low + 1 if isinstance(self.low, int) and isinstance(self.high, int) else math.inf

    def corners(self) -> list[Scalar]:
        """Values whose validity implies that of all others."""
        return [self.low, self.high]
