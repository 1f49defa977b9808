"""What a study claims, stated before its data: a quantity, what it is compared with, and the least effect that matters.

A claim is a value. Quantities are a small algebra: what one trial has (`Metric`, `Level`, `Twins`, `AboveScratch`,
`KeptOverChanged`, a `Difference` of two), and what only several trials have (`Between` two settings, an `Order` of
settings, a `Slope` over an ordered field, an `Association` of two values, a `Share` of units). `study.answer` decides
them; `search_spaces.carrying` says why a space can't carry one.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from search_spaces.spanned import Scalar
from trainables.explain import in_field
from trainables.parts import Part

FieldValue: TypeAlias = Scalar
Setting: TypeAlias = dict[str, FieldValue]
"""Dotted name → the value that it has in the trials that are meant."""
Bounds: TypeAlias = tuple[float, float]
Arm: TypeAlias = Literal["replicate", "control", "scratch_replicate", "scratch_control"]
Role: TypeAlias = Literal["claim", "placebo", "description"]

S = TypeVar("S", bound="Stated")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SHARES = re.compile(r"(^|/|_)(accuracy|auc|auc_kept|auc_changed|share|interpolated|censored|density|fidelity)$")
_SIGNED = re.compile(r"(^|/)(gap/\w*accuracy|contrast/.*(accuracy|auc)|selectivity|kappa)$")


class Stated(BaseModel):
    """A frozen part of a claim that refuses unknown keys; in files its `kind` says which it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


class Metric(Stated):
    """A metric of a trial, by its name: the mean over the trial's networks.

    `bounds` are declared where the name does not say them: between which values every network's number must lie.
    """

    kind: Literal["metric"] = "metric"
    metric: str
    bounds: Bounds | None = None


class Level(Stated):
    """A column of networks.parquet at one level of the compression, averaged over the networks of an arm.

    `level` counts from 0 (dense), −1 is the last; or `ratio` asks for the first level that is at least so many times
    smaller.
    """

    kind: Literal["level"] = "level"
    column: str
    level: int | None = None
    ratio: float | None = Field(None, ge=1)
    arm: Arm = "replicate"
    bounds: Bounds | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.level is None) == (self.ratio is None):
            raise ValueError(f"{self.column}: say at which level or at which ratio, one of the two")
        return self


class Twins(Stated):
    """Control − replicate, paired by network inside a trial: what clean labels change."""

    kind: Literal["twins"] = "twins"
    metric: str
    bounds: Bounds | None = None


class AboveScratch(Stated):
    """Retained − scratch: a network − the fresh one with the same sizes and budget, paired by network in a trial."""

    kind: Literal["above_scratch"] = "above_scratch"
    metric: str
    bounds: Bounds | None = None


class KeptOverChanged(Stated):
    """On examples that kept their label − on those whose label was changed, inside one network."""

    kind: Literal["kept_over_changed"] = "kept_over_changed"
    metric: str
    bounds: Bounds | None = None


class Difference(Stated):
    """The first value − the second, inside a trial: one level against another, one measure against another."""

    kind: Literal["difference"] = "difference"
    first: "Value"
    second: "Value"


Value: TypeAlias = Annotated[
    Metric | Level | Twins | AboveScratch | KeptOverChanged | Difference, Field(discriminator="kind")
]
"""What one trial (or one network of it) has."""
Difference.model_rebuild()


class Between(Stated):
    """The value in trials of one setting − in those of another; paired where both met the same dense networks."""

    kind: Literal["between"] = "between"
    of: Value
    first: Setting = Field(min_length=1)
    second: Setting = Field(min_length=1)

    @model_validator(mode="after")
    def _two(self) -> Self:
        return _different(self, (self.first, self.second))


class Order(Stated):
    """Settings in falling order of the value: each neighbouring difference counts."""

    kind: Literal["order"] = "order"
    of: Value
    settings: tuple[Setting, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _all_different(self) -> Self:
        return _different(self, self.settings)


class Slope(Stated):
    """How the value moves with an ordered field.

    `rank`: the slope of its ranks on the field's, both of variance 1 within strata (Kendall's τ beside it);
    `log`: a line, per doubling of the field.
    """

    kind: Literal["slope"] = "slope"
    of: Value
    over: str
    scale: Literal["rank", "log"] = "rank"


class Association(Stated):
    """How ranks of the first value go with those of the second, among trials alike in condition and instrument."""

    kind: Literal["association"] = "association"
    first: Value
    second: Value


class Share(Stated):
    """The share of units whose value lies above a bound."""

    kind: Literal["share"] = "share"
    of: Value
    above: float = 0.0


Quantity: TypeAlias = Annotated[
    Metric
    | Level
    | Twins
    | AboveScratch
    | KeptOverChanged
    | Difference
    | Between
    | Order
    | Slope
    | Association
    | Share,
    Field(discriminator="kind"),
]


class Greater(Stated):
    """Greater than `than`, by at least `matters` in the estimate."""

    kind: Literal["greater"] = "greater"
    than: float = 0.0
    matters: float = Field(0.0, ge=0)


class Less(Stated):
    """Less than `than`, by at least `matters` in the estimate."""

    kind: Literal["less"] = "less"
    than: float = 0.0
    matters: float = Field(0.0, ge=0)


class Equivalent(Stated):
    """Within ±`matters` of `to`."""

    kind: Literal["equivalent"] = "equivalent"
    to: float = 0.0
    matters: float = Field(gt=0)


class AtLeast(Stated):
    """At least `bound`."""

    kind: Literal["at_least"] = "at_least"
    bound: float


class AtMost(Stated):
    """At most `bound`."""

    kind: Literal["at_most"] = "at_most"
    bound: float


class Exactly(Stated):
    """The same number in every unit, without exception."""

    kind: Literal["exactly"] = "exactly"
    count: float


Comparison: TypeAlias = Annotated[Greater | Less | Equivalent | AtLeast | AtMost | Exactly, Field(discriminator="kind")]

# What each kind of quantity can be compared by; others take all but `exactly`, single values that as well.
_COMPARED: dict[str, tuple[str, ...]] = {
    "order": ("greater",),
    "share": ("at_least", "at_most"),
    "association": ("greater", "less", "equivalent"),
    "slope": ("greater", "less", "equivalent", "at_least", "at_most"),
    "between": ("greater", "less", "equivalent", "at_least", "at_most"),
}


class Claim(Part):
    """A sentence that a study's data can support or refute.

    Args:
        name: Short, lower case; by it verdicts are found.
        says: The sentence.
        quantity: What is compared.
        by: Fields for each of whose values (combined) the claim is decided, and pooled.
        where: The trials that it is about: name → values; {}: all.
        comparison: With what, in which direction, and from which effect on it matters.
        source, published: Where it was reported, and what was: in words and number.
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


def atoms(value: Value) -> Iterator[Metric | Level | Twins | AboveScratch | KeptOverChanged]:
    """The values of which a value is made."""
    if isinstance(value, Difference):
        yield from atoms(value.first)
        yield from atoms(value.second)
    else:
        yield value


def bounds(value: Value) -> Bounds | None:
    """Between which numbers a value lies for certain, as declared or as its name says; None: it has no bounds."""
    if isinstance(value, Difference):
        first, second = bounds(value.first), bounds(value.second)
        return None if first is None or second is None else (first[0] - second[1], first[1] - second[0])
    if value.bounds is not None:
        return value.bounds
    name = value.column if isinstance(value, Level) else value.metric
    found = (-2.0, 2.0) if name == "contrast/retained" else None
    if found is None and _SIGNED.search(name):
        found = (-1.0, 1.0)
    elif found is None and _SHARES.search(name):
        found = (0.0, 1.0)
    if found is None or isinstance(value, Metric | Level):
        return found
    width = found[1] - found[0]
    return (-width, width)


def _different(part: S, settings: tuple[Setting, ...]) -> S:
    if any(setting in settings[:index] for index, setting in enumerate(settings)):
        raise ValueError("two of the settings are the same; nothing lies between them")
    return part
