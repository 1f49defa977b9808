"""What can be set of a trial: every field with its type, default and meaning, who reads it and who may choose it."""

import difflib
import fnmatch
import importlib
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from search_spaces.space import CONDITIONS
from study.errors import UsageError
from study.sampling.interfaces import SAMPLERS, LearningSampler, layout_names
from study.settings.spans import readers_of
from trainables.config import TrialConfig
from trainables.dotted import short_name
from trainables.listing import names_in
from trainables.parts import EntrySection

_BOUNDS = {
    annotated_types.Ge: ("≥", "ge"),
    annotated_types.Gt: (">", "gt"),
    annotated_types.Le: ("≤", "le"),
    annotated_types.Lt: ("<", "lt"),
}
_WORDS = {
    int: "whole number",
    float: "number",
    bool: "true or false",
    str: "text",
    Path: "path",
    types.NoneType: "none",
}
_SPANNED_ELSEWHERE = ("seed",)


@dataclass(frozen=True)
class SettableField:
    """One field of a trial's configuration.

    Attributes:
        name: Dotted, as in `--set`.
        kind: Its type with its bounds, in words.
        default: What it is unless set.
        meaning: What it says.
        values: Names that it takes, where it names modules.
        read_by: Chooser → the entries of it that alone read the field; {} where every trial reads it.
        samplers: Those that may span it, where everything that it depends on is fixed.
    """

    name: str
    kind: str
    default: Any
    meaning: str
    values: tuple[str, ...]
    read_by: dict[str, tuple[str, ...]]
    samplers: tuple[str, ...]


def fields_like(pattern: str | None = None) -> list[SettableField]:
    """The fields whose dotted name holds `pattern`, or fits it where it has wildcards; all of them without one.

    Raises:
        UsageError: There is none; names the closest.
    """
    there = list(_all_fields())
    if pattern is None:
        return there
    wanted = pattern.lower() if any(sign in pattern for sign in "*?[") else f"*{pattern.lower()}*"
    if found := [field for field in there if fnmatch.fnmatchcase(field.name, wanted)]:
        return found
    raise UsageError(f"no field is called like {pattern!r}.{_suggestion(pattern, there)} All of them: ockham fields")


def _suggestion(pattern: str, there: list[SettableField]) -> str:
    words: dict[str, str] = {}  # a field is found by its last word, too, or by its section's
    for field in there:
        section, _, last = field.name.rpartition(".")
        words |= {word: words.get(word, word) for word in section.split(".") if word} | {last: last}
        words[field.name] = field.name
    close = difflib.get_close_matches(pattern.strip("*?").lower(), words, n=1, cutoff=0.6)
    return f" Did you mean {words[close[0]]!r}?" if close else ""


def _all_fields() -> Iterator[SettableField]:
    for section, own in TrialConfig.model_fields.items():
        part = own.annotation
        if not (isinstance(part, type) and issubclass(part, EntrySection)):
            yield _field(section, own)
            continue
        for name, field in part.model_fields.items():
            readers = {chooser: tuple(sorted(who)) for chooser, _, who in readers_of(f"{section}.{name}")}
            yield _field(short_name(f"{section}.{name}"), field, readers, part.choosers.get(name))
        for chooser, package in part.choosers.items():
            for entry in names_in(package):
                of_entry: type[BaseModel] = importlib.import_module(f"{package}.{entry}").ENTRY
                for name, field in of_entry.model_fields.items():
                    chosen_by: dict[str, tuple[str, ...]] = {short_name(f"{section}.{chooser}"): (entry,)}
                    yield _field(f"{section}.{entry}.{name}", field, chosen_by)


def _field(
    name: str, field: FieldInfo, read_by: dict[str, tuple[str, ...]] | None = None, package: str | None = None
) -> SettableField:
    return SettableField(
        name=name,
        kind="name" if package else _type_text(field.annotation, tuple(field.metadata)),
        default=field.get_default(call_default_factory=True, validated_data={}),
        meaning=field.description or "",
        values=names_in(package) if package else (),
        read_by=read_by or {},
        samplers=_samplers(name, _scalars(field.annotation)),
    )


def _samplers(name: str, kinds: set[Any]) -> tuple[str, ...]:
    """Who may choose values of it: conditions are laid out, never chosen; some need numbers to choose between."""
    if name in _SPANNED_ELSEWHERE or tuple in kinds:
        return ()
    if name in CONDITIONS:
        return layout_names()
    numbers = bool(kinds & {int, float})
    return tuple(
        sampler
        for sampler in SAMPLERS.names()
        if numbers or not (issubclass(kind := SAMPLERS.get(sampler), LearningSampler) and kind.needs_ranges)
    )


def _scalars(annotation: Any) -> set[Any]:
    """The types that its values have, `none` aside."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _scalars(typing.get_args(annotation)[0])
    if origin in (types.UnionType, typing.Union):
        return set().union(*map(_scalars, typing.get_args(annotation))) - {types.NoneType}
    if origin is Literal:
        return {type(value) for value in typing.get_args(annotation)}
    return {origin or annotation}


def _type_text(annotation: Any, bounds: tuple[Any, ...]) -> str:
    """`whole number ≥ 1, or none`, `one of he, glorot`, `3 whole numbers`."""
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        more = [extra for info in inside[1:] for extra in (info.metadata if isinstance(info, FieldInfo) else (info,))]
        return _type_text(inside[0], (*more, *bounds))
    if origin in (types.UnionType, typing.Union):
        some = [_type_text(kind, bounds) for kind in inside if kind is not types.NoneType]
        return " or ".join(some) + (", or none" if types.NoneType in inside else "")
    if origin is Literal:
        return f"one of {', '.join(map(str, inside))}"
    if origin is tuple:
        many = "" if Ellipsis in inside else f"{len(inside)} "
        return f"{many}{_type_text(inside[0], bounds).replace('number', 'numbers', 1)} joined by +"
    known = ((bound, *_BOUNDS[type(bound)]) for bound in bounds if type(bound) in _BOUNDS)
    limits = ", ".join(f"{sign} {getattr(bound, key)}" for bound, sign, key in known)
    return f"{_WORDS.get(annotation, annotation)} {limits}".strip()
