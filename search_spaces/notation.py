"""The notation of `--set KEY=VALUE`: a value, a list to span, or a range to span.

`16` and `digits` are values; `0,0.5,1` spans a list; `16..512` and `1e-3..1:log` span a range; `1000+400+397` is a
list as one value.
"""

import re
from collections.abc import Mapping
from typing import Any

from search_spaces.space import Choices, Range, Scalar, SearchSpace

_RANGE = re.compile(r"^(?P<low>[^.].*?)\.\.(?P<high>[^:]+)(?P<log>:log)?$")
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "none": None, "null": None}
_NUMBER_LISTS = re.compile(r"^[\d.]+(\+[\d.]+)+$")


def apply_settings(space: SearchSpace, settings: list[str]) -> SearchSpace:
    """`space` with each `KEY=VALUE` applied, all at once, so that settings may depend on one another.

    Raises:
        ValueError: A setting has no `=`, a key does not exist or a value is not allowed there.
    """
    fixed: dict[str, Any] = {}
    spanned: dict[str, Choices | Range] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key or not text:
            raise ValueError(f"--set {setting}: write KEY=VALUE, e.g. --set model.width=64 or model.width=16..256:log")
        value = parse_value(text)
        if isinstance(value, Choices | Range):
            spanned[key] = value
            fixed.pop(key, None)
        else:
            fixed[key] = value
            spanned.pop(key, None)
    return override(space, fixed, spanned)


def override(space: SearchSpace, fixed: Mapping[str, Any], spanned: Mapping[str, Choices | Range]) -> SearchSpace:
    """`space` with some names fixed and others spanned, whatever they were before; validated once, at the end."""
    base = {k: v for k, v in {**space.base, **fixed}.items() if k not in spanned}
    if "compression.rate" in fixed and "compression.target_ratio" not in fixed:
        base.pop("compression.target_ratio", None)
    span = {k: v for k, v in {**space.span, **spanned}.items() if k not in fixed}
    return SearchSpace.model_validate({**dict(space), "base": base, "span": span})


def parse_value(text: str) -> Any:
    """`text` as a scalar, a tuple (joined with +), a `Choices` (joined with ,) or a `Range` (joined with ..)."""
    if match := _RANGE.match(text):
        low, high = parse_scalar(match["low"]), parse_scalar(match["high"])
        if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high)):
            raise ValueError(f"{text!r}: both ends of a range must be numbers, e.g. 16..512 or 1e-3..1:log")
        return Range(low=low, high=high, log=bool(match["log"]))  # type: ignore[arg-type]
    if "," in text:
        return Choices(values=tuple(parse_scalar(part) for part in text.split(",") if part))
    if _NUMBER_LISTS.match(text):
        return tuple(parse_scalar(part) for part in text.split("+"))
    return parse_scalar(text)


def parse_scalar(text: str) -> Scalar:
    """true/false/none, an integer, a float, else the text itself."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
