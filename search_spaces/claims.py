"""What a study claims, stated before its data: a quantity, what it is compared with, and the least effect that matters.

A claim is a value: `study.answer` decides it, `search_spaces.carrying` says why a space can't carry it.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from search_spaces.quantities import Association, Between, ClaimPart, FieldValue, Order, Quantity, Share, Slope, Value
from trainables.explain import in_field
from trainables.parts import ConfigSection

Role: TypeAlias = Literal["claim", "placebo", "description"]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Greater(ClaimPart):
    """Greater than `than`, by at least `matters` in the estimate."""

    kind: Literal["greater"] = "greater"
    than: float = 0.0
    matters: float = Field(0.0, ge=0)

    @property
    def target(self) -> str:
        """What an estimate has to be, as `> 1, by ≥ 0.2`."""
        return f"> {_number(self.than)}{_by(self.matters)}"


class Less(ClaimPart):
    """Less than `than`, by at least `matters` in the estimate."""

    kind: Literal["less"] = "less"
    than: float = 0.0
    matters: float = Field(0.0, ge=0)

    @property
    def target(self) -> str:
        """What an estimate has to be, as `< 0, by ≥ 0.2`."""
        return f"< {_number(self.than)}{_by(self.matters)}"


class Equivalent(ClaimPart):
    """Within ±`matters` of `to`."""

    kind: Literal["equivalent"] = "equivalent"
    to: float = 0.0
    matters: float = Field(gt=0)

    @property
    def target(self) -> str:
        """What an estimate has to be, as `0 ± 0.1`."""
        return f"{_number(self.to)} ± {self.matters:g}"


class AtLeast(ClaimPart):
    """At least `bound`."""

    kind: Literal["at_least"] = "at_least"
    bound: float

    @property
    def target(self) -> str:
        """What an estimate has to be, as `≥ 0.9`."""
        return f"≥ {_number(self.bound)}"


class AtMost(ClaimPart):
    """At most `bound`."""

    kind: Literal["at_most"] = "at_most"
    bound: float

    @property
    def target(self) -> str:
        """What an estimate has to be, as `≤ 0.1`."""
        return f"≤ {_number(self.bound)}"


class Exactly(ClaimPart):
    """The same number in every unit, without exception."""

    kind: Literal["exactly"] = "exactly"
    count: float

    @property
    def target(self) -> str:
        """What an estimate has to be, as `= 3, always`."""
        return f"= {_number(self.count)}, always"


def _number(number: float) -> str:
    return f"{number:g}".replace("-", "−")


def _by(matters: float) -> str:
    return f", by ≥ {matters:g}" if matters else ""


Comparison: TypeAlias = Annotated[Greater | Less | Equivalent | AtLeast | AtMost | Exactly, Field(discriminator="kind")]

# What each kind of quantity can be compared by; others take all but `exactly`, single values that as well.
_COMPARED: dict[str, tuple[str, ...]] = {
    "order": ("greater",),
    "share": ("at_least", "at_most"),
    "association": ("greater", "less", "equivalent"),
    "slope": ("greater", "less", "equivalent", "at_least", "at_most"),
    "between": ("greater", "less", "equivalent", "at_least", "at_most"),
}


class Claim(ConfigSection):
    """A sentence that a study's data can support or refute.

    Args:
        name: Short, lower case; by it verdicts are found.
        says: The sentence.
        quantity: What is compared.
        by: Fields for each of whose values (combined) the claim is decided, and pooled.
        where: The trials that it is about: name → values; {}: all.
        comparison: With what, in which direction, and from which effect on it matters.
        source, published: Where it was reported, and what was: in words and number.
        otherwise: What it means for the other claims if it is not supported, as the end of a sentence.
        role: `claim`; `placebo`, which must come out as said or nothing else can be read; `description`, no verdict.
    """

    name: str
    says: str
    quantity: Quantity
    comparison: Comparison
    by: tuple[str, ...] = ()
    where: dict[str, tuple[FieldValue, ...]] = Field(default_factory=dict)
    source: str = ""
    published: str = ""
    otherwise: str = ""
    role: Role = "claim"

    @field_validator("name")
    @classmethod
    def _short(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError("use lower case letters, digits and _, at most 64, starting with a letter")
        return name

    @field_validator("by", mode="before")
    @classmethod
    def _one_field(cls, by: Any) -> Any:
        return (by,) if isinstance(by, str) else by

    @field_validator("where", mode="before")
    @classmethod
    def _lists(cls, where: Any) -> Any:
        if not isinstance(where, Mapping):
            return where
        return {name: value if isinstance(value, list | tuple) else (value,) for name, value in where.items()}

    @model_validator(mode="after")
    def _can_be_compared(self) -> Self:
        quantity, comparison = self.quantity.kind, self.comparison.kind
        allowed = _COMPARED.get(quantity, ("greater", "less", "equivalent", "at_least", "at_most", "exactly"))
        if comparison not in allowed:
            raise in_field("comparison", f"{quantity} can't be compared by {comparison}; take {', '.join(allowed)}")
        if self.role == "placebo" and comparison not in ("equivalent", "exactly"):
            raise in_field("comparison", f"a placebo comes out as nothing; take equivalent, not {comparison}")
        twice = [name for name in self.by if name in self.where and len(self.where[name]) == 1]
        if twice:
            raise in_field("by", f"{twice[0]} has one value only where the claim holds; leave it out of by or of where")
        return self

    @property
    def values(self) -> tuple[Value, ...]:
        """What has to be known of a trial."""
        quantity = self.quantity
        if isinstance(quantity, Association):
            return quantity.first, quantity.second
        return (quantity.of,) if isinstance(quantity, Between | Order | Slope | Share) else (quantity,)

    def identity(self) -> dict[str, Any]:
        """What of it must not change once there are data: all but the prose. JSON types."""
        return self.model_dump(mode="json", include={"quantity", "by", "where", "comparison", "role"})
