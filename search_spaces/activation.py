"""Conditional parameters: which spanned names mean something, given the values of others.

A name can depend on others explicitly (`when`), and a field of a registry's entry depends on the choice that selects
the entry: `compression.distill.epochs` is there only where `compression.method` is `distill`.
"""

from collections.abc import Mapping
from typing import Any

from search_spaces.spanned import Choices, Range
from trainables.config import defaults
from trainables.spelling import unknown_name

When = dict[str, tuple[Any, ...]]


class Activation:
    """What depends on what in a space.

    Args:
        base, span: Of the space.

    Attributes:
        when: Spanned name → name → the values with which the first one means something; all must hold.
        order: The spanned names, each after those that it depends on.

    Raises:
        ValueError: A name depends on one that is unknown, on itself in a circle, on a range, or on values that never
            come.
    """

    def __init__(self, base: Mapping[str, Any], span: Mapping[str, Choices | Range]) -> None:
        self._base, self._span = base, span
        self._defaults = defaults()
        self.when: dict[str, When] = {name: {**_condition_of(name, span), **span[name].when} for name in span}
        self.order = self._in_order()
        for name, needed in self.when.items():
            for other, values in needed.items():
                self._check(name, other, values)

    @property
    def conditional(self) -> list[str]:
        """Names that are not there in every trial."""
        return [name for name, needed in self.when.items() if needed]

    def active(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """`params` without what means nothing there."""
        kept: dict[str, Any] = {}
        for name in self.order:
            if name in params and self.is_active(name, kept):
                kept[name] = params[name]
        return {name: value for name, value in params.items() if name in kept or name not in self._span}

    def is_active(self, name: str, params: Mapping[str, Any]) -> bool:
        """Whether `name` means something, given all names before it in `order` that do."""
        return all(self._value(other, params) in values for other, values in self.when[name].items())

    def enabling(self, name: str) -> dict[str, Any]:
        """Values of other spanned names with which `name` means something."""
        found: dict[str, Any] = {}
        for other, values in self.when[name].items():
            if other in self._span:
                found |= {**self.enabling(other), other: values[0]}
        return found

    def _value(self, name: str, params: Mapping[str, Any]) -> Any:
        if name in self._span:
            return params.get(name, _Absent)
        return self._base.get(name, self._defaults.get(name, _Absent))

    def _in_order(self) -> list[str]:
        order: list[str] = []
        waiting = list(self._span)
        while waiting:
            ready = [name for name in waiting if not any(other in waiting for other in self.when[name])]
            if not ready:
                raise ValueError(f"{waiting[0]} depends on itself in a circle: {' → '.join([*waiting, waiting[0]])}")
            order.append(ready[0])
            waiting.remove(ready[0])
        return order

    def _check(self, name: str, other: str, values: tuple[Any, ...]) -> None:
        if other in self._span:
            there = getattr(self._span[other], "values", None)
            if there is None:
                raise ValueError(f"{name} depends on {other}, which spans a range; only a list can be depended on")
        elif other in self._base or other in self._defaults:
            there = (self._value(other, {}),)
        else:
            raise ValueError(f"{name} depends on {other}: {unknown_name('field', other, list(self._defaults))}")
        for value in values:
            if value not in there and (other in self._span or len(values) == 1):
                raise ValueError(f"{name} depends on {other}={value}, which no trial has; it is {_or(there)}")


class _Absent:
    """The value of what is not there; equal to nothing in a space."""


def _condition_of(name: str, span: Mapping[str, Choices | Range]) -> When:
    """The choice that selects the entry to which the field belongs, if one is spanned."""
    section, _, rest = name.partition(".")
    entry, dot, _ = rest.partition(".")
    found: When = {}
    for other, spanned in span.items():
        values = getattr(spanned, "values", ())
        if dot and other.count(".") == 1 and other.startswith(f"{section}."):
            selecting = tuple(value for value in values if entry in entries_in(value))
            if selecting and len(selecting) < len(values):
                found[other] = selecting
    return found


def entries_in(value: Any) -> list[str]:
    """The entries that a choice names; several are joined with +."""
    return value.split("+") if isinstance(value, str) else []


def _or(values: tuple[Any, ...]) -> str:
    return " or ".join(map(str, values))
