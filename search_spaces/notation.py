"""The notation of `--set KEY=VALUE`: a value, a list to span, or a range to span.

`16` and `digits` are values; `0,0.5,1` spans a list; `16..512` and `1e-3..1:log` span a range; `1000+400+397` is a
list as one value. `KEY@OTHER:VALUE=…` spans KEY in those trials only in which OTHER has the value (one of `A+B`).
"""

import re
from collections.abc import Mapping
from typing import Any

from search_spaces.space import Choices, Range, Scalar, SearchSpace

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"^(?P<low>{_NUMBER})\.\.(?P<high>{_NUMBER})(?P<log>:log)?$")
# Two ways to say one thing: setting one drops what the space says about the other.
_REPLACES = {
    "compression.rate": "compression.target_ratio",
    "compression.target_ratio": "compression.rate",
}
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
        key, when = parse_key(key)
        if when and not isinstance(value, Choices | Range):
            raise ValueError(f"--set {setting}: only what is spanned can depend on another field; give a list or range")
        if isinstance(value, Choices | Range) and when:
            value = value.model_copy(update={"when": when})
        if isinstance(value, Choices | Range):
            spanned[key] = value
            fixed.pop(key, None)
        else:
            fixed[key] = value
            spanned.pop(key, None)
    return override(space, fixed, spanned)


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
        when[other] = tuple(parse_scalar(value) for value in values.split("+"))
    return key, when


def parse_value(text: str) -> Any:
    """`text` as a scalar, a tuple (joined with +), a `Choices` (joined with ,) or a `Range` (joined with ..)."""
    if match := _RANGE.match(text):
        low, high = parse_scalar(match["low"]), parse_scalar(match["high"])
        return Range(low=low, high=high, log=bool(match["log"]))
    if ".." in text and "/" not in text:
        raise ValueError(f"{text!r} is no range; both ends must be numbers, e.g. 16..512 or 1e-3..1:log")
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
