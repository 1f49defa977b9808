"""A pydantic validation error as sentences that name the field, the value, what is allowed and the likely fix."""

import difflib
import re
import types
import typing
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from trainables.dotted import short_name
from trainables.spelling import unknown_name

_IN_FIELD = "in_field"


def in_field(field: str, said: str, *, nested: bool = False) -> PydanticCustomError:
    """The error a validator of a whole section raises about one of its fields, so that `explain` can name the field.

    Args:
        field: Name within the section.
        said: What is wrong; if `nested`, an explanation that starts with the name of a field within `field`.
        nested: See `said`.
    """
    return PydanticCustomError(_IN_FIELD, "{field}: {said}", {"field": field, "said": said, "nested": nested})


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """One sentence a problem, e.g. `model.widht: there is no field 'widht'. Did you mean 'width'? Allowed: …`."""
    problems = error.errors()
    return " ".join(_sentence(dict(problem), model) for problem in problems if not _follows(problem, problems))


def _follows(problem: ErrorDetails, others: list[ErrorDetails]) -> bool:
    """Whether a list is called too short only because what is in it was refused, which is said already."""
    place = problem["loc"]
    inner = (other["loc"] for other in others if len(other["loc"]) > len(place))
    return problem["type"] == "too_short" and any(location[: len(place)] == place for location in inner)


def _sentence(problem: dict[str, Any], model: type[BaseModel]) -> str:
    location = [str(part) for part in problem["loc"]]
    if problem["type"] == _IN_FIELD:
        where = ".".join([*location, problem["ctx"]["field"]])
        said = problem["ctx"]["said"]
        return f"{where}.{said}" if problem["ctx"]["nested"] else f"{where}: {said}"
    where = short_name(".".join(location))
    if problem["type"] == "extra_forbidden":
        owner = _owner(model, location[:-1])
        known = list(owner.model_fields) if owner else []
        return f"{where}: {unknown_name('field', location[-1], known)}"
    said = problem["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    given = "" if isinstance(problem["input"], dict | BaseModel) else f" (given: {problem['input']!r})"
    text = f"{where}: {said}{given}" if where else f"{said}{given}"
    return (text if text.endswith(".") else f"{text}.") + _meant(problem)


def _meant(problem: dict[str, Any]) -> str:
    """Which of the allowed words was probably meant, where it is one of a few."""
    if problem["type"] != "literal_error" or not isinstance(problem["input"], str):
        return ""
    close = difflib.get_close_matches(problem["input"], re.findall(r"'([^']*)'", problem["ctx"]["expected"]), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _owner(model: type[BaseModel], path: list[str]) -> type[BaseModel] | None:
    """The model class found by following field names from `model`; None where the path leaves models."""
    for name in path:
        field = model.model_fields.get(name)
        found = [kind for kind in _kinds(field.annotation) if field] if field else []
        if not found:
            return None
        model = found[0]
    return model


def _kinds(annotation: Any) -> list[type[BaseModel]]:
    options = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    return [kind for kind in options if isinstance(kind, type) and issubclass(kind, BaseModel)]
