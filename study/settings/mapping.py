"""Fields of a trial from Python: a mapping of dotted names to values, lists to span, or the notation of `--set`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from search_spaces.space import SearchSpace
from study.errors import UsageError
from study.settings.study_file import with_fields
from trainables.config import TrialConfig, defaults
from trainables.explain import problems_of
from trainables.problems import Problem, problems_in


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
        wrong = problems_of(error, SearchSpace)
    except ValueError as error:
        wrong = problems_in(error)
    raise UsageError(_with_hint(problem, settings).said_at("set:") for problem in wrong)


def _with_hint(problem: Problem, settings: Mapping[str, Any]) -> Problem:
    value = settings.get(problem.field)
    if isinstance(value, list) and problem.reason.startswith("must be a valid tuple"):
        return replace(problem, fix=f"A list spans its values; a tuple is one value: {tuple(value)}.")
    return with_dotted(problem, settings)


def with_dotted(problem: Problem, keys: Iterable[str]) -> Problem:
    """The problem with a hint, if it is about one of these keys and that lacks its section."""
    if problem.field in keys and "." not in problem.field and problem.field not in TrialConfig.model_fields:
        return replace(problem, fix=" ".join(filter(None, (problem.fix, _suggest_dotted(problem.field)))))
    return problem


def _suggest_dotted(key: str) -> str:
    names = list(defaults())
    close = get_close_matches(key, [name.split(".")[-1] for name in names], n=1)
    hint = next((name for name in names if close and name.split(".")[-1] == close[0]), "model.width")
    return f"Keys are dotted: {'did you mean' if close else 'for example'} {hint}{'?' if close else '.'}"
