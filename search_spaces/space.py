"""A search space: fixed values and spanned values over the dotted names of `TrialConfig`."""

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from search_spaces.activation import Activation, entries_in
from search_spaces.claims import Claim
from search_spaces.spanned import Choices, Range, Scalar, Span
from trainables.config import TrialConfig, defaults
from trainables.dotted import unflatten
from trainables.explain import problems_of
from trainables.parts import ConfigSection
from trainables.problems import Refused
from trainables.spelling import unknown

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["CONDITIONS", "INSTRUMENTS", "MOST_TRIALS", "Choices", "Range", "Scalar", "SearchSpace", "Span"]

# Values of these are checked in all their combinations, up to a number that takes half a second.
_GO_TOGETHER = ("compression.", "model.name")
_COMBINATIONS = 2000
MOST_TRIALS = 1_000_000  # a hundred times what a ledger was measured with
INSTRUMENTS = "compression"
CONDITIONS = ("data.label_noise", "data.noise_kind", "data.inputs")


class SearchSpace(ConfigSection):
    """What a study spans around a base configuration, and what it claims.

    Args:
        base: Dotted name → value, over the defaults of `TrialConfig`.
        span: Dotted name → the values it takes: a `Choices`, a `Range`, or a list.
        crossed: Fields of the compression (or `compression`, all of them) whose spanned lists are crossed inside a
            dense cell: the same dense networks meet every combination. Others train networks of their own.
        trials: How many trials the study runs unless told otherwise.
        claims: What its data are to support or refute, stated before there are any.
    """

    title: str = ""
    claim: str = Field("", description="what the study is expected to show, and from where")
    source: str = ""
    base: dict[str, Any] = Field(default_factory=dict)
    span: dict[str, Choices | Range] = Field(default_factory=dict)
    crossed: tuple[str, ...] = Field((), description="fields of the compression that every dense network meets")
    trials: int = Field(24, ge=1, le=MOST_TRIALS)
    claims: tuple[Claim, ...] = ()

    @field_validator("claims")
    @classmethod
    def _each_claim_has_its_name(cls, claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
        names = [claim.name for claim in claims]
        if len(set(names)) < len(names):
            raise ValueError(f"two claims are called {max(names, key=names.count)}; by their names verdicts are found")
        return claims

    # Pydantic asks the validators of a whole space again when it becomes a field of a study.
    _checked: bool = PrivateAttr(False)

    @field_validator("span", mode="before")
    @classmethod
    def _lists_are_choices(cls, span: Any) -> Any:
        if not isinstance(span, Mapping):
            return span
        return {name: {"values": said} if isinstance(said, list | tuple) else said for name, said in span.items()}

    @field_validator("crossed")
    @classmethod
    def _only_instruments_are_crossed(cls, crossed: tuple[str, ...]) -> tuple[str, ...]:
        known = [INSTRUMENTS, *(name for name in defaults() if name.startswith(f"{INSTRUMENTS}."))]
        for name in crossed:
            if name.split(".")[0] != INSTRUMENTS:
                raise ValueError(
                    f"{name} shapes the dense networks, so that one network can't meet several values of it; only "
                    f"fields of the compression are crossed inside a dense cell, e.g. {INSTRUMENTS}.criterion"
                )
            if name not in known and name.count(".") < 2:
                raise Refused([unknown("field", name, known)])
        return crossed

    @model_validator(mode="after")
    def _what_is_crossed_is_a_list(self) -> Self:
        for name in self.crossed:
            if isinstance(self.span.get(name), Range):
                raise ValueError(f"{name} is crossed inside a dense cell, which needs a list of values, not a range")
        return self

    @model_validator(mode="after")
    def _every_corner_is_a_trial(self) -> Self:
        if self._checked:
            return self
        self._checked = True
        first = {name: spanned.corners()[0] for name, spanned in self.span.items()}
        self.config(self.active(first))
        for name, spanned in self.span.items():
            for value in spanned.corners():
                self.config(self.active({**first, **self.activation.enabling(name), name: value}))
        together = {name: s.corners() for name, s in self.span.items() if name.startswith(_GO_TOGETHER)}
        for values in itertools.islice(itertools.product(*together.values()), _COMBINATIONS):
            self.config(self.active({**first, **dict(zip(together, values, strict=True))}))
        return self

    @property
    def instruments(self) -> dict[str, Choices]:
        """The spanned lists that are crossed inside a dense cell. A range can't be: it has no last value."""
        return {
            name: spanned
            for name, spanned in self.span.items()
            if isinstance(spanned, Choices) and (name in self.crossed or name.split(".")[0] in self.crossed)
        }

    @property
    def activation(self) -> Activation:
        """Which of the spanned names depend on others."""
        return Activation(self.base, self.span)

    def active(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`params` without those that mean nothing there."""
        return self.activation.active(params)

    def where(self, name: str) -> str:
        """On what a spanned name depends, e.g. `training.optimizer=sgd`; "" if it is in every trial."""
        needed = self.activation.when[name].items()
        return ", ".join(f"{other}={' or '.join(map(str, values))}" for other, values in needed)

    def distributions(self) -> "dict[str, BaseDistribution]":
        """Dotted name → Optuna distribution, in the order in which they were spanned."""
        return {name: spanned.distribution() for name, spanned in self.span.items()}

    def config(self, params: Mapping[str, Any], seed: int = 0) -> TrialConfig:
        """The trial at `params`; fields of entries that are not selected there are left out.

        Raises:
            ValueError: The point is no valid `TrialConfig`; says which field, why and what is allowed.
        """
        flat = {"seed": seed, **self.base, **params}
        try:
            return TrialConfig.model_validate(unflatten(self._drop_deselected(flat)))
        except ValidationError as error:
            raise Refused(problems_of(error, TrialConfig)) from None

    def _drop_deselected(self, flat: dict[str, Any]) -> dict[str, Any]:
        """Drops fields of entries that a spanned choice deselects, e.g. `compression.distill.epochs` under prune."""
        spanned, chosen = set(), set()
        for name, choice in self.span.items():
            section = name.split(".")[0]
            chosen |= {(section, entry) for entry in entries_in(flat.get(name))}
            spanned |= {(section, entry) for value in choice.corners() for entry in entries_in(value)}
        return {
            name: value
            for name, value in flat.items()
            if name.count(".") < 2 or (name.split(".")[0], name.split(".")[1]) not in spanned - chosen
        }

    def fix(self, values: Mapping[str, Any]) -> "SearchSpace":
        """The same space with `values` fixed, no longer spanned."""
        span = {name: spanned for name, spanned in self.span.items() if name not in values}
        return self.model_validate({**dict(self), "base": {**self.base, **values}, "span": span})

    def spread(self, values: Mapping[str, Choices | Range]) -> "SearchSpace":
        """The same space with `values` spanned as well (or instead)."""
        base = {name: value for name, value in self.base.items() if name not in values}
        return self.model_validate({**dict(self), "base": base, "span": {**self.span, **values}})
