"""A pydantic validation error as problems that name the field, the value, what is allowed and the likely fix."""

import difflib
import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trainables.problems import Problem, Refused
from trainables.spelling import unknown

_MUST = "Input should be "  # how pydantic begins


def in_field(field: str, reason: str) -> Refused:
    """The error a validator of a whole section raises about one of its fields.

    Args:
        field: Name within the section, dotted if it lies deeper.
    """
    return Refused([Problem(reason, tuple(field.split(".")))])


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """One sentence a problem, e.g. `model.widht: there is no field 'widht'. Did you mean 'width'? Allowed: …`."""
    return " ".join(problem.sentence() for problem in problems_of(error, model))


def problems_of(error: ValidationError, model: type[BaseModel]) -> tuple[Problem, ...]:
    """What is wrong with an input of `model`.

    Args:
        error: As raised when the input was validated.
    """
    details = error.errors()
    return tuple(problem for each in details if not _follows(each, details) for problem in _problems(each, model))


def _follows(problem: ErrorDetails, others: list[ErrorDetails]) -> bool:
    """Whether a list is called too short only because what is in it was refused, which is said already."""
    place = problem["loc"]
    inner = (other["loc"] for other in others if len(other["loc"]) > len(place))
    return problem["type"] == "too_short" and any(location[: len(place)] == place for location in inner)


def _problems(details: ErrorDetails, model: type[BaseModel]) -> Iterator[Problem]:
    location = tuple(str(part) for part in details["loc"])
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, Refused) and cause.problems:
        yield from (problem.in_section(*location) for problem in cause.problems)
        return
    if details["type"] == "extra_forbidden":
        owner = _model_at(model, location[:-1])
        yield unknown("field", location[-1], owner.model_fields if owner else ()).in_section(*location)
        return
    said = details["msg"]
    reason = str(cause) if cause is not None else f"must be {said[len(_MUST) :]}" if said.startswith(_MUST) else said
    value = details["input"]
    shown = not isinstance(value, dict | BaseModel) and not reason.endswith((".", "?"))
    given = repr(value) if shown and not (isinstance(value, str) and repr(value) in reason) else ""
    fix = _suggestion(details, model) if details["type"] == "literal_error" else ""
    yield Problem(reason, location, value=given, fix=fix)


def _suggestion(details: ErrorDetails, model: type[BaseModel]) -> str:
    """Which of the allowed words was probably meant."""
    owner, name = _model_at(model, tuple(map(str, details["loc"][:-1]))), str(details["loc"][-1])
    words = _words(owner.model_fields[name].annotation) if owner and name in owner.model_fields else []
    close = difflib.get_close_matches(str(details["input"]), words, n=1)
    return f"Did you mean {close[0]!r}?" if close else ""


def _words(annotation: Any) -> list[str]:
    """The texts that a type allows by name."""
    inside = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return [word for word in inside if isinstance(word, str)]
    return [word for part in inside for word in _words(part)]


def _model_at(model: type[BaseModel], path: tuple[str, ...]) -> type[BaseModel] | None:
    """The model class at a path of field names from `model`; None where the path leaves models."""
    for name in path:
        field = model.model_fields.get(name)
        kinds = _kinds(field.annotation) if field else []
        if not kinds:
            return None
        model = kinds[0]
    return model


def _kinds(annotation: Any) -> list[type[BaseModel]]:
    options = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    return [kind for kind in options if isinstance(kind, type) and issubclass(kind, BaseModel)]
