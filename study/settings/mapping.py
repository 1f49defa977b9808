"""Fields of a trial from Python: a mapping of dotted names to values, lists to span, or the notation of `--set`."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from search_spaces.space import SearchSpace
from study.errors import UsageError
from study.settings.study_file import with_fields
from trainables.config import TrialConfig, defaults
from trainables.explain import explain


def with_mapping(space: SearchSpace, settings: Mapping[str, Any]) -> tuple[SearchSpace, set[str]]:
    """`space` with these fields fixed or spanned, and their dotted names.

    Raises:
        UsageError: There is no such field, or a value is not allowed there.
    """
    if "seed" in settings:
        raise UsageError("set: the seed belongs to the study; write seed=N beside set.")
    try:
        return with_fields(space, settings)
    except ValidationError as error:
        said = explain(error, SearchSpace)
    except ValueError as error:
        said = str(error)
    for key, value in settings.items():
        if "." not in key and key not in TrialConfig.model_fields:
            said += dotted(key)
        elif isinstance(value, list) and f"{key}: must be a valid tuple" in said:
            said += f" A list spans its values; a tuple is one value: {tuple(value)}."
    raise UsageError(f"set: {said}")


def dotted(key: str) -> str:
    """A hint for a key without its section."""
    names = list(defaults())
    close = get_close_matches(key, [name.split(".")[-1] for name in names], n=1)
    hint = next((name for name in names if close and name.split(".")[-1] == close[0]), "model.width")
    return f" Keys are dotted: {'did you mean' if close else 'for example'} {hint}{'?' if close else '.'}"
