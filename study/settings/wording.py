"""Problems of a study's settings, as who typed a command wrote them, or who called from Python."""

from dataclasses import replace

from study.config import RunConfig, StudyConfig
from study.config.options import Option
from trainables.problems import Problem, Refused

_GOALS = {"objectives": "--objective", "constraints": "--constraint"}


def as_option(problem: Problem) -> Problem:
    """`run.data_dir` is `--data-dir`, unless it is known to have been said otherwise."""
    if problem.place or not problem.location:
        return problem
    first, *rest = _without_run(problem).location
    if first in _GOALS:
        place = _GOALS[first]
    elif first == "stopping":
        place = f"--scheduler-{rest[0]}" if rest else "--scheduler-metric, -grace or -reduction"
    elif first in RunConfig.model_fields:
        place = _flag(first)
    elif not rest and first in StudyConfig.model_fields:
        place = f"--{first.replace('_', '-')}"
    else:
        return problem
    return replace(problem, place=place)


def as_typed(error: Exception) -> str:
    """What is wrong with a command, in its own terms."""
    if isinstance(error, Refused) and error.problems:
        return " ".join(as_option(problem).sentence() for problem in error.problems)
    return str(error)


def as_argument(problem: Problem) -> Problem:
    """Arguments of `study.launch` are fields of a study and of its run alike."""
    return problem if problem.place else _without_run(problem)


def _without_run(problem: Problem) -> Problem:
    first, *rest = problem.location or ("",)
    return replace(problem, location=tuple(rest)) if first == "run" and rest else problem


def _flag(name: str) -> str:
    for option in RunConfig.model_fields[name].metadata:
        if isinstance(option, Option) and option.flags:
            return option.flags.partition("/")[0]
    return f"--{name.replace('_', '-')}"
