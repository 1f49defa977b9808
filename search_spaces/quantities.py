"""What claims are about: numbers of a study's trials.

Quantities are a small algebra: what one trial has (`Metric`, `Level`, `Twins`, `AboveScratch`,
`KeptOverChanged`, a `Difference` of two), and what only several trials have (`Between` two settings, an `Order` of
settings, a `Slope` over an ordered field, an `Association` of two values, a `Share` of units).
"""

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from search_spaces.spanned import Scalar

FieldValue: TypeAlias = Scalar
Setting: TypeAlias = dict[str, FieldValue]
"""Dotted name → the value that it has in the trials that are meant."""
Bounds: TypeAlias = tuple[float, float]
Arm: TypeAlias = Literal["replicate", "control", "scratch_replicate", "scratch_control"]

S = TypeVar("S", bound="ClaimPart")
_SHARES = re.compile(r"(^|/|_)(accuracy|auc|auc_kept|auc_changed|share|interpolated|censored|density|fidelity)\Z")
_SIGNED = re.compile(r"(^|/)(gap/\w*accuracy|contrast/.*(accuracy|auc)|selectivity|kappa)\Z")


class ClaimPart(BaseModel):
    """A frozen part of a claim that refuses unknown keys; in files its `kind` says which it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


class Metric(ClaimPart):
    """A metric of a trial, by its name: the mean over the trial's networks.

    `bounds` are declared where the name does not say them: between which values every network's number must lie.
    """

    kind: Literal["metric"] = "metric"
    metric: str
    bounds: Bounds | None = None


class Level(ClaimPart):
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


class Twins(ClaimPart):
    """Control − replicate, paired by network inside a trial: what clean labels change."""

    kind: Literal["twins"] = "twins"
    metric: str
    bounds: Bounds | None = None


class AboveScratch(ClaimPart):
    """Retained − scratch: a network − the fresh one with the same sizes and budget, paired by network in a trial."""

    kind: Literal["above_scratch"] = "above_scratch"
    metric: str
    bounds: Bounds | None = None


class KeptOverChanged(ClaimPart):
    """On examples that kept their label − on those whose label was changed, inside one network."""

    kind: Literal["kept_over_changed"] = "kept_over_changed"
    metric: str
    bounds: Bounds | None = None


class Difference(ClaimPart):
    """The first value − the second, inside a trial: one level against another, one measure against another."""

    kind: Literal["difference"] = "difference"
    first: "Value"
    second: "Value"


Value: TypeAlias = Annotated[
    Metric | Level | Twins | AboveScratch | KeptOverChanged | Difference, Field(discriminator="kind")
]
"""What one trial (or one network of it) has."""
Difference.model_rebuild()


class Between(ClaimPart):
    """The value in trials of one setting − in those of another; paired where both met the same dense networks."""

    kind: Literal["between"] = "between"
    of: Value
    first: Setting = Field(min_length=1)
    second: Setting = Field(min_length=1)

    @model_validator(mode="after")
    def _two(self) -> Self:
        return _different(self, (self.first, self.second))


class Order(ClaimPart):
    """Settings in falling order of the value: each neighbouring difference counts."""

    kind: Literal["order"] = "order"
    of: Value
    settings: tuple[Setting, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _all_different(self) -> Self:
        return _different(self, self.settings)


class Slope(ClaimPart):
    """How the value moves with an ordered field.

    `rank`: the slope of its ranks on the field's, both of variance 1 within strata (Kendall's τ beside it);
    `log`: a line, per doubling of the field.
    """

    kind: Literal["slope"] = "slope"
    of: Value
    over: str
    scale: Literal["rank", "log"] = "rank"


class Association(ClaimPart):
    """How ranks of the first value go with those of the second, among trials alike in condition and instrument."""

    kind: Literal["association"] = "association"
    first: Value
    second: Value


class Share(ClaimPart):
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
