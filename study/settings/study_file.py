"""A study in a YAML file: any field of `StudyConfig`, plus `set:` and a list of explicit `configurations:`.

name: widths
space: redundancy              # a named study, or base: and span: of your own
set:
  data.label_noise: [0.5, 1]   # a list spans; "16..512:log" is the notation of --set
  training.momentum: {values: [0, 0.9], when: {training.optimizer: sgd}}   # only where it means something
  training: {lr: 0.1}          # sections may be nested
configurations:                # run before anything proposed
  - {model.width: 64, data.label_noise: 1}
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from search_spaces import catalog
from search_spaces.notation import override, parse_key, parse_value
from search_spaces.space import Choices, Range, SearchSpace
from study.config import StudyConfig
from study.errors import UsageError
from trainables.config import flatten
from trainables.explain import explain
from trainables.spelling import unknown_name


def read_study_file(path: Path) -> tuple[SearchSpace, dict[str, Any], set[str]]:
    """The file's space, its other fields, and the dotted names that it fixes or spans itself.

    Raises:
        UsageError: The file can't be read, is no mapping, or has an unknown field or value.
    """
    fields = _fields(path)
    known = [field for field in (*StudyConfig.model_fields, "set") if field != "added"]
    for field in fields:
        if field not in known:
            raise UsageError(f"{path}: {unknown_name('field', str(field), known)}")
    try:
        space, own = _space(fields.pop("space", None))
        settings = fields.pop("set", None) or {}
        space = _set(space, _section(settings, "set"))
    except ValidationError as error:
        raise UsageError(f"{path}: {explain(error, SearchSpace)}") from None
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None
    own |= {parse_key(key)[0] for key in _flat(_section(settings, "set"))}
    fields.setdefault("name", path.stem)
    fields["configurations"] = tuple(_configurations(fields.get("configurations"), path))
    return space, fields, own


def parsed(path: Path) -> Any:
    """What a YAML file holds; a UsageError says why it can't be read."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} can't be read: {(error.strerror or str(error)).lower()}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no YAML file: {error}") from None


def _fields(path: Path) -> dict[str, Any]:
    content = parsed(path)
    if not isinstance(content, dict):
        raise UsageError(f"{path} must hold fields of a study, e.g. 'space: redundancy' and 'trials: 12'.")
    return content


def _space(value: Any) -> tuple[SearchSpace, set[str]]:
    """A named study, or one written out: base (values), span (lists, notation, or low/high/log)."""
    if value is None:
        return SearchSpace(), set()
    if isinstance(value, str):
        return catalog.get(value), set()
    fields = dict(_section(value, "space"))
    base = flatten(dict(_section(fields.pop("base", None) or {}, "space.base")))
    span = _spans(_flat(_section(fields.pop("span", None) or {}, "space.span")))
    return SearchSpace.model_validate({**fields, "base": base, "span": span}), {*base, *span}


def _spans(flat: Mapping[str, Any]) -> dict[str, Any]:
    """What is spanned; a key may say on what it depends, as in the notation of --set."""
    found: dict[str, Any] = {}
    for key, value in flat.items():
        name, when = parse_key(key)
        spanned = _spanned(value)
        found[name] = {**dict(spanned), "when": when} if when else spanned
    return found


def _spanned(value: Any) -> Any:
    if isinstance(value, str):
        value = parse_value(value)
    if isinstance(value, list):
        return Choices(values=tuple(value))
    return value if isinstance(value, Choices | Range | Mapping) else Choices(values=(value,))


def _set(space: SearchSpace, settings: Mapping[str, Any]) -> SearchSpace:
    """As `--set`, all at once."""
    fixed: dict[str, Any] = {}
    spanned: dict[str, Any] = {}
    for key, value in _flat(settings).items():
        read = parse_value(value) if isinstance(value, str) else value
        if isinstance(read, list | Choices | Range | Mapping) or "@" in key:
            spanned |= _spans({key: read})
        else:
            fixed[key] = read
    return override(space, fixed, spanned)


def _configurations(value: Any, path: Path) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise UsageError(f"{path}: configurations must be a list of trials, e.g. '- {{model.width: 64}}'.")
    return [flatten(dict(item)) for item in value]


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """As `flatten`, but {low, high} and {values} are a range and a list to span, not sections."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        section = isinstance(value, Mapping) and not {"low", "values"} & set(value)
        flat.update(_flat(value, f"{prefix}{key}.") if section else {f"{prefix}{key}": value})
    return flat


def _section(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must hold 'field: value' lines, not {value!r}")
    return value
