"""What a user wrote (a named study or a file, and options) as a `StudyConfig`, or one sentence about what is wrong."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from search_spaces import catalog
from search_spaces.notation import apply_settings, parse_setting
from search_spaces.space import CONDITIONS, Range, SearchSpace
from study.config import OF_ONE_RUN, RunConfig, StudyConfig
from study.config.task import default_objectives, default_stopping_metric, task_of_study
from study.errors import UsageError
from study.ledger.place import Place
from study.sampling.interfaces import learning, learning_names
from study.settings.claims import with_claims
from study.settings.mapping import with_dotted, with_mapping
from study.settings.resume_request import ResumeRequest, budget
from study.settings.spans import USUAL, on_conditional, repeats, spanned_where_read, without_space
from study.settings.study_file import read_study_file
from study.stopping.interfaces import SCHEDULERS
from study.trust import Sure, ask_nobody, require_trust
from trainables.config import defaults
from trainables.data.task import Task
from trainables.explain import problems_of
from trainables.problems import Problem, problems_in

M = TypeVar("M", bound=BaseModel)
_SAID_ONCE = ("name", "trials", "sampler", "scheduler", "warm_start", "seed")


@dataclass(frozen=True)
class LaunchOptions:
    """What `ockham launch` was given; None means not given.

    Attributes:
        source: A named study, a file that ends in .yaml, or, from Python, a space; None: the usual study, or with a
            `name` nothing but `settings`.
        size: Of a named study: small, paper or large.
        settings: `KEY=VALUE` each, as given to `--set`; or, from Python, name → value, a list to span, or its notation.
        stopping: Fields of `Stopping`.
        objectives, constraints: In their own notations.
        warm_start: Another study's name.
        run: Fields of `RunConfig`.
    """

    source: str | Path | SearchSpace | None = USUAL
    name: str | None = None
    size: str | None = None
    trials: int | None = None
    settings: tuple[str, ...] | Mapping[str, Any] = ()
    sampler: str | None = None
    scheduler: str | None = None
    stopping: Mapping[str, Any] = field(default_factory=dict)
    objectives: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    warm_start: str | None = None
    seed: int | None = None
    run: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LoadedStudy:
    """A study ready to run, and one line for each thing that was decided on the user's behalf."""

    config: StudyConfig
    notes: tuple[str, ...] = ()


def load_study(options: LaunchOptions, sure: Sure = ask_nobody) -> LoadedStudy:
    """The study that `options` describe.

    Raises:
        UsageError: The source does not exist, names a place that is not trusted (`study.trust`), or a field or
            value is not allowed; says which, why and what is.
    """
    notes: list[str] = []
    source = USUAL if options.source is None else options.source
    space, fields, own = _source(source, options.size)
    if options.source is None and options.name is not None and options.size is None:
        space, note = without_space()
        notes.append(note)
    in_file = set(fields) if _is_file(source) else set()
    space, own = _with_settings(space, options.settings, own)
    space, unread = spanned_where_read(space, own)
    notes += unread
    given = {name: getattr(options, name) for name in (*_SAID_ONCE, "objectives", "constraints")}
    fields |= {name: value for name, value in given.items() if value not in (None, ())}
    in_file -= {name for name, value in given.items() if value not in (None, ())}
    if options.stopping:
        fields["stopping"] = {**_mapping(fields.get("stopping")), **options.stopping}
    said = _mapping(fields.get("run"))
    theirs = {name: place for name, place in said.items() if name not in options.run}
    require_trust(theirs, str(source), sure)
    fields["run"] = {**said, **options.run}
    for who in (fields.get("sampler"), fields.get("scheduler")):
        if who in learning_names() or who in SCHEDULERS.names():
            space, fixed = _without_conditions(space, str(who), own)
            notes += fixed
    if _one_objective(fields.get("sampler")) and "objectives" not in fields:
        fields["objectives"] = (only := default_objectives(_task(space))[:1])
        notes.append(f"{fields['sampler']} has one objective: {only[0].metric} (--objective METRIC for another).")
    if fields.get("scheduler") in SCHEDULERS.names() and "metric" not in _mapping(fields.get("stopping")):
        notes += _on_scheduler(space, str(fields["scheduler"]))
    notes += on_conditional(space, str(fields.get("sampler", "design")))
    space, unclaimed = with_claims(space)
    notes += unclaimed
    fields.setdefault("trials", len(fields.get("configurations", ())) or space.trials)
    if fields.get("sampler") in learning_names() and isinstance(fields["trials"], int):
        notes += repeats(space, str(fields["sampler"]), fields["trials"])
    try:
        return LoadedStudy(validate_fields(StudyConfig, {**fields, "space": space}), tuple(notes))
    except UsageError as error:
        in_file |= {f"run.{name}" for name in theirs if "run" in in_file}
        raise UsageError(_in_file(problem, source, in_file) for problem in problems_in(error)) from None


def load_existing(
    place: Place,
    name: str,
    trials: str | None,
    run: Mapping[str, Any],
    *,
    retry_failed: bool = False,
    sure: Sure = ask_nobody,
    repair: bool = False,
) -> tuple[StudyConfig, ResumeRequest]:
    """The study called `name`, to go on with.

    Args:
        trials: The new budget, `N` (no less than have begun) or `+N`; None keeps it.
        run: Fields of `RunConfig` that replace those of the last run. `OF_ONE_RUN` are not kept.
    Raises:
        UsageError: No such study, a place in its ledger is not trusted, or a value is not allowed.
    """
    ledger = place.open(name)
    config = ledger.config
    if trials is not None:
        budget(trials, ledger)
    last = {key: value for key, value in config.run.model_dump().items() if value is not None and key not in OF_ONE_RUN}
    require_trust({key: value for key, value in last.items() if key not in run}, f"the ledger of {name}", sure)
    changed = {**last, **run}
    asked = validate_fields(StudyConfig, {**dict(config), "run": validate_fields(RunConfig, changed)})
    return asked, ResumeRequest(trials, retry_failed, repair)


def validate_fields(model: type[M], fields: Mapping[str, Any]) -> M:
    """`model` with `fields`.

    Raises:
        UsageError: With what is wrong.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise UsageError(problems_of(error, model)) from None


def _in_file(problem: Problem, source: str | Path | SearchSpace, fields: set[str]) -> Problem:
    """The problem as one of the file, where that is who said it."""
    names = {".".join(problem.location[:length]) for length in (1, 2)} - {"run"}
    return problem.said_at(f"{source}:") if names & fields else problem


def _is_file(source: str | Path | SearchSpace) -> bool:
    return isinstance(source, Path) or (
        isinstance(source, str) and (source.endswith((".yaml", ".yml")) or "/" in source)
    )


def _source(source: str | Path | SearchSpace, size: str | None) -> tuple[SearchSpace, dict[str, Any], set[str]]:
    """The space, the other fields of `StudyConfig`, and the dotted names that the user fixed or spanned."""
    if size is not None and (isinstance(source, SearchSpace) or _is_file(source)):
        raise UsageError(f"--size {size}: named studies come in sizes, a space of your own has what it says.")
    if isinstance(source, SearchSpace):
        return source, {}, {*source.base, *source.span}
    if isinstance(source, Path) or _is_file(source):
        return read_study_file(Path(source))
    try:
        study = catalog.study(source)
    except ValueError as error:
        raise UsageError(f"{error} A file of your own must end in .yaml.") from None
    try:
        space = catalog.get(source, size)
    except ValueError as error:
        raise UsageError(f"{error}." if not str(error).endswith((".", "?")) else str(error)) from None
    name = source if size is None else study.names(source)[size]  # type: ignore[index]
    return space, {"name": name}, set()


def _with_settings(
    space: SearchSpace, settings: tuple[str, ...] | Mapping[str, Any], own: set[str]
) -> tuple[SearchSpace, set[str]]:
    if isinstance(settings, Mapping):
        space, names = with_mapping(space, settings)
        return space, own | names
    keys = {setting.partition("=")[0].partition("@")[0] for setting in settings}
    if "seed" in keys:
        raise UsageError("--set seed: the seed belongs to the study; write --seed N.")
    for setting in settings:
        _require_readable(setting)
    try:
        return apply_settings(space, list(settings)), own | keys
    except ValidationError as error:
        wrong = problems_of(error, SearchSpace)
    except ValueError as error:
        wrong = problems_in(error)
    raise UsageError(in_settings(problem, keys) for problem in wrong)


def _require_readable(setting: str) -> None:
    try:
        parse_setting(setting)
    except ValidationError as error:
        raise UsageError(problem.said_at(f"--set {setting}:") for problem in problems_of(error, Range)) from None
    except ValueError as error:
        said = str(error)
        if said.startswith("--set"):
            raise UsageError(said) from None
        raise UsageError([Problem(said, place=f"--set {setting}")]) from None


def in_settings(problem: Problem, keys: Collection[str]) -> Problem:
    """The problem as one of the `--set` that it comes from: of its field, or of one in a section that there is not."""
    problem, field = with_dotted(problem, keys), problem.field
    below = (key for key in sorted(keys) if problem.allowed and key.startswith(f"{field}."))
    if field and (key := field if field in keys else next(below, None)):
        return problem.said_at(f"--set {key}")
    return problem


def _one_objective(sampler: object) -> bool:
    return sampler in learning_names() and learning(str(sampler)).one_objective


def _without_conditions(space: SearchSpace, sampler: str, own: set[str]) -> tuple[SearchSpace, list[str]]:
    """Conditions are never chosen nor compared across: what the space (not the user) spans of them is fixed.

    Args:
        sampler: Or the scheduler.
    """
    dropped = [name for name in CONDITIONS if name in space.span and name not in own]
    fixed: dict[str, Any] = {name: defaults()[name] for name in dropped}
    if "data.label_noise" in dropped or not {"data.label_noise"} & {*space.base, *space.span}:
        fixed["data.label_noise"] = 1.0
    if not fixed:
        return space, []
    said = ", ".join(f"{name} is fixed at {value:g}" if isinstance(value, float) else f"{name} is fixed at {value}"
                     for name, value in fixed.items())  # fmt: skip
    does = "compares no trials that differ in" if sampler in SCHEDULERS.names() else "never chooses"
    note = f"{sampler} {does} what is done to the data: {said} (--set {next(iter(fixed))}=VALUE for another)."
    return space.fix(fixed), [note]


def _on_scheduler(space: SearchSpace, scheduler: str) -> list[str]:
    """A network that has nothing but noise to learn has no validation accuracy to compare."""
    if space.base.get("data.label_noise") != 1:
        return []
    metric = default_stopping_metric(_task(space))
    return [
        f"{scheduler} goes by {metric}, which is chance at data.label_noise=1; "
        f"--scheduler-metric control/{metric} goes by the clean twins."
    ]


def _task(space: SearchSpace) -> Task:
    try:
        return task_of_study(space)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
