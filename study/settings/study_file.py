"""A study in a YAML file: any field of `StudyConfig`, plus `set:` and a list of explicit `configurations:`.

name: widths
space: redundancy              # a named study, or base: and span: of your own
size: small                    # of a named study
set:
  data.label_noise: [0.5, 1]   # a list spans; "16..512:log" is the notation of --set
  training.momentum: {values: [0, 0.9], when: {training.optimizer: sgd}}   # only where it means something
  training: {lr: 0.1}          # sections may be nested
configurations:                # run before anything proposed
  - {model.width: 64, data.label_noise: 1}

The `study.yaml` that a study keeps of itself is such a file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from search_spaces import catalog
from search_spaces.notation import choices, override, parse_key, parse_scalar, parse_value, scalar_of_file
from search_spaces.space import Choices, Range, SearchSpace
from study.config import StudyConfig
from study.config.yaml_files import read_yaml
from study.errors import UsageError
from trainables.explain import problems_of
from trainables.problems import problems_in
from trainables.spelling import unknown

MOST_TRIALS = 10_000  # each is checked before anything starts, some thousands a second


def read_study_file(path: Path) -> tuple[SearchSpace, dict[str, Any], set[str]]:
    """The file's space, its other fields, and the dotted names that it fixes or spans itself.

    Raises:
        UsageError: The file can't be read, is no mapping, or has an unknown field or value.
    """
    fields = _fields(path)
    try:
        space, own = _space(fields.pop("space", None), fields.pop("size", None))
        space, names = with_fields(space, _section(fields.pop("set", None) or {}, "set"))
        if "configurations" in fields:
            fields["configurations"] = tuple(trials_in(fields["configurations"]))
    except ValidationError as error:
        raise UsageError(problem.said_at(f"{path}:") for problem in problems_of(error, SearchSpace)) from None
    except ValueError as error:
        raise UsageError(problem.said_at(f"{path}:") for problem in problems_in(error)) from None
    own |= names
    fields.setdefault("name", path.stem)
    return space, fields, own


def trials_in(value: Any) -> list[dict[str, Any]]:
    """A list of explicit trials, each a mapping of fields, flat or nested.

    Raises:
        ValueError: It is no such list, or an entry of it is no mapping; says which.
    """
    example = "one a line: - {model.width: 64, data.label_noise: 1}"
    if not isinstance(value, list) or not value:
        raise ValueError(f"configurations must be a list of trials, {example}")
    if len(value) > MOST_TRIALS:
        raise ValueError(
            f"{len(value):,} configurations; at most {MOST_TRIALS:,} are taken at once. Span fields instead (set:), or "
            "split the list over several studies"
        )
    trials = []
    for number, item in enumerate(value, start=1):
        try:
            flat = _flat(item) if isinstance(item, Mapping) else {}
        except ValueError as error:
            raise ValueError(f"configuration {number}: {error}") from None
        if not flat:
            raise ValueError(f"configuration {number} is {item!r}, not a trial; write them {example}")
        trials.append({name: _parse_value(name, each) for name, each in flat.items()})
    return trials


def _fields(path: Path) -> dict[str, Any]:
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise UsageError(f"{path} must hold fields of a study, e.g. 'space: redundancy' and 'trials: 12'.")
    fields = {str(field): value for field, value in content.items()}
    if fields.pop("added", None) is not None and not fields.get("configurations"):
        fields.pop("configurations", None)  # a study's own file, which has every field
    fields.pop("planned", None)  # of the study that the file was, not of the one that is made of it
    known = [field for field in (*StudyConfig.model_fields, "size", "set") if field not in ("added", "planned")]
    for field in fields:
        if field not in known:
            raise UsageError([unknown("field", field, known).said_at(f"{path}:")])
    return fields


def _space(value: Any, size: Any) -> tuple[SearchSpace, set[str]]:
    """A named study in a size, or one written out: base (values), span (lists, notation, or low/high/log)."""
    if size is not None and not isinstance(value, str):
        raise ValueError(f"size: {size} is of named studies, write space: NAME beside it; what is written out has none")
    if value is None:
        return SearchSpace(), set()
    if isinstance(value, str):
        return catalog.get(value, size), set()
    fields = dict(_section(value, "space"))
    flat = _flat(_section(fields.pop("base", None) or {}, "space.base"))
    base = {name: _parse_value(name, each) for name, each in flat.items()}
    span = _spans(_flat(_section(fields.pop("span", None) or {}, "space.span")))
    if twice := sorted(set(base) & set(span)):
        raise ValueError(f"{twice[0]} is in space.base and in space.span; fix it or span it")
    return SearchSpace.model_validate({**fields, "base": base, "span": span}), {*base, *span}


def _spans(flat: Mapping[str, Any]) -> dict[str, Any]:
    """What is spanned; a key may say on what it depends, as in the notation of --set."""
    spans: dict[str, Any] = {}
    for key, value in flat.items():
        name, when = parse_key(key)
        if name in spans:
            raise ValueError(f"{name} is spanned twice; write it once")
        spanned = _parse_span(name, value)
        spans[name] = {**dict(spanned), "when": when} if when else spanned
    return spans


def _parse_span(name: str, value: Any) -> Any:
    if isinstance(value, str):
        value = parse_value(value, name)
    if isinstance(value, list):
        return _choices(name, value)
    if isinstance(value, Mapping) and isinstance(value.get("values"), list):
        return {**value, "values": _choices(name, value["values"]).values}
    return value if isinstance(value, Choices | Range | Mapping) else Choices(values=(value,))


def _choices(name: str, values: list[Any]) -> Choices:
    if not values:
        raise ValueError(f"{name} is spanned by an empty list; give it values, e.g. {name}: [0.5, 1]")
    try:
        return choices(_parse_value(name, each) for each in values)
    except ValidationError:
        raise
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _parse_value(name: str, value: Any) -> Any:
    """A value as its field has it: none and true are names of values of some."""
    if isinstance(value, str):
        value = parse_scalar(value, name)
    return scalar_of_file(value, name)


def with_fields(space: SearchSpace, settings: Mapping[str, Any]) -> tuple[SearchSpace, set[str]]:
    """`space` with fields fixed (a value) or spanned (a list, or the notation of `--set`), and their dotted names.

    Raises:
        ValueError: There is no such field, or a value is not allowed there; pydantic's own error where it found that.
    """
    fixed: dict[str, Any] = {}
    spanned: dict[str, Any] = {}
    for key, value in _flat(settings).items():
        parsed = parse_value(value, parse_key(key)[0]) if isinstance(value, str) else value
        if isinstance(parsed, list | Choices | Range | Mapping) or "@" in key:
            spanned |= _spans({key: parsed})
        else:
            fixed[key] = scalar_of_file(parsed, key)
    return override(space, fixed, spanned), {*fixed, *spanned}


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """As `flatten`, but {low, high} and {values} are a range and a list to span, not sections.

    Raises:
        ValueError: A field is there twice, as in {model.width: 64, model: {width: 32}}.
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        section = isinstance(value, Mapping) and not {"low", "values"} & set(value)
        for name, each in (_flat(value, f"{prefix}{key}.") if section else {f"{prefix}{key}": value}).items():
            if name in flat:
                raise ValueError(f"{name} is there twice; write it once")
            flat[name] = each
    return flat


def _section(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must hold 'field: value' lines, not {value!r}")
    return value
