"""The notation of `--set KEY=VALUE`: a value, a list to span, or a range to span.

A text is read by the type of its field: `none` and `true` are words of some fields and names of values of others.
`16` and `digits` are values; `0,0.5,1` spans a list; `16..512` and `1e-3..1:log` span a range; `1000+400+397` is a
list as one value. `KEY@OTHER:VALUE=…` spans KEY in those trials only in which OTHER has the value (one of `A+B`).
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from search_spaces.space import Choices, Range, Scalar, SearchSpace
from trainables.config import TrialConfig
from trainables.parts import field_type

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"(?P<low>{_NUMBER})\.\.(?P<high>{_NUMBER})(?P<log>:log)?")
# Two ways to say one thing: setting one drops what the space says about the other.
_REPLACES = {
    "compression.rate": "compression.target_ratio",
    "compression.target_ratio": "compression.rate",
}
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "none": None, "null": None}
_NUMBER_LISTS = re.compile(rf"{_NUMBER}(\+{_NUMBER})+")


def apply_settings(space: SearchSpace, settings: list[str]) -> SearchSpace:
    """`space` with each `KEY=VALUE` applied, all at once, so that settings may depend on one another.

    Raises:
        ValueError: A setting has no `=`, a key does not exist or is there twice, or a value is not allowed there.
    """
    fixed: dict[str, Any] = {}
    spanned: dict[str, Choices | Range] = {}
    for setting in settings:
        key, when, value = parse_setting(setting)
        if key in fixed or key in spanned:
            raise ValueError(f"--set {key} is there twice; write each field once, several values as {key}=A,B")
        if isinstance(value, Choices | Range):
            spanned[key] = value.model_copy(update={"when": when}) if when else value
        elif when:
            raise ValueError(f"--set {setting}: only what is spanned can depend on another field; give a list or range")
        else:
            fixed[key] = value
    return override(space, fixed, spanned)


def parse_setting(setting: str) -> tuple[str, dict[str, tuple[Scalar, ...]], Any]:
    """`KEY=VALUE` as the key, what it depends on, and the value.

    Raises:
        ValueError: It has no `=`, or one of its parts can't be read.
    """
    left, equals, text = setting.partition("=")
    if not equals or not left or not text:
        raise ValueError(f"--set {setting}: write KEY=VALUE, e.g. --set model.width=64 or model.width=16..256:log")
    key, when = parse_key(left)
    return key, when, parse_value(text, key)


def override(space: SearchSpace, fixed: Mapping[str, Any], spanned: Mapping[str, Choices | Range]) -> SearchSpace:
    """`space` with some names fixed and others spanned, whatever they were before; validated once, at the end."""
    given = {**fixed, **spanned}
    replaced = {other for key, other in _REPLACES.items() if key in given and other not in given}
    base = {k: v for k, v in {**space.base, **fixed}.items() if k not in spanned and k not in replaced}
    span = {k: v for k, v in {**space.span, **spanned}.items() if k not in fixed and k not in replaced}
    return SearchSpace.model_validate({**dict(space), "base": base, "span": span})


def parse_key(text: str) -> tuple[str, dict[str, tuple[Scalar, ...]]]:
    """`KEY@OTHER:A+B` as KEY and the values of OTHER with which it means something; there may be several @.

    Raises:
        ValueError: An @ without a field and a value.
    """
    key, *conditions = text.split("@")
    when = {}
    for condition in conditions:
        other, colon, values = condition.partition(":")
        if not key or not other or not colon or not values:
            raise ValueError(f"{text!r}: write KEY@OTHER:VALUE, e.g. training.momentum@training.optimizer:sgd")
        when[other] = tuple(parse_scalar(value, other) for value in values.split("+"))
    return key, when


def parse_value(text: str, key: str = "") -> Any:
    """`text` as a scalar, a tuple (joined with +), a `Choices` (joined with ,) or a `Range` (joined with ..).

    Args:
        key: The field whose value it is; "" reads by looks alone.
    Raises:
        ValueError: It looks like a range or a list and is none.
    """
    if match := _RANGE.fullmatch(text):
        low, high = (parse_scalar(match[end]) for end in ("low", "high"))
        return Range.model_validate({"low": low, "high": high, "log": bool(match["log"])})
    if ".." in text and "/" not in text:
        raise ValueError(f"{text!r} is no range; both ends must be numbers, e.g. 16..512 or 1e-3..1:log")
    if "," in text:
        return choices(parse_scalar(part, key) for part in _parts(text))
    if _NUMBER_LISTS.fullmatch(text) and not _fits(text, key):
        return tuple(parse_scalar(part) for part in text.split("+"))
    value = parse_scalar(text, key)
    return (value,) if not _fits(value, key) and _fits((value,), key) else value


def parse_scalar(text: str, key: str = "") -> Scalar:
    """true/false/none, an integer, a float, else the text itself; as text too where a field takes nothing else."""
    value = _by_looks(text)
    return text if not _fits(value, key) and _fits(text, key) else value


def scalar_of_file(value: Scalar, key: str) -> Scalar:
    """`value` of a file, where true and false may be names of values: `data.inputs: true`."""
    return parse_scalar(str(value).lower(), key) if isinstance(value, bool) else value


def choices(values: Iterable[Scalar]) -> Choices:
    """Values to span.

    Raises:
        ValueError: One is there twice.
    """
    there = tuple(values)
    if twice := [value for value in there if there.count(value) > 1]:
        raise ValueError(f"{twice[0]} is there twice; write each value once (replicates and trials repeat)")
    return Choices(values=there)


def _parts(text: str) -> list[str]:
    parts = text.split(",")
    if not all(parts):
        raise ValueError(f"{text!r} lists an empty value; write values with a comma between two, e.g. 0,0.5,1")
    return parts


def _by_looks(text: str) -> Scalar:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _fits(value: Any, key: str) -> bool:
    """Whether the field takes a value of that type, as it is; False too of fields that do not exist."""
    expected = field_type(TrialConfig, key) if key else None
    if expected is None:
        return False
    try:
        TypeAdapter(expected).validate_json(json.dumps(value), strict=True)
    except ValidationError:
        return False
    return True
