"""Numbers, durations and parameters as a person reads them."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

DASH = "–"
_LARGEST_WHOLE = 1e12  # from here on, digits before the point are no help
_MOST_PLACES = 6
_ROUNDING = 1e-12  # of double precision, and what a mean of a few numbers adds


def key_metrics(score: str) -> tuple[tuple[str, str], ...]:
    """Heading and metric of the numbers that every trial is shown with, where networks have this score."""
    return (
        ("train", f"train/{score}"),
        ("gap", f"gap/{score}"),
        ("auc", "compressibility/auc"),
        ("contrast", "contrast/auc"),
    )


def duration(seconds: float | None) -> str:
    """`0:07`, `12:30`, `3:05:00`, `2 d 4 h`; a dash if unknown."""
    if seconds is None:
        return DASH
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def from_here(path: Path) -> Path:
    """As someone in this folder would write it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def short_names(dotted: Iterable[str]) -> dict[str, str]:
    """Dotted name → its last part, or the dotted name where two would look the same."""
    names = list(dotted)
    last = [name.split(".")[-1] for name in names]
    return {name: part if last.count(part) == 1 else name for name, part in zip(names, last, strict=True)}


def value(given: Any) -> str:
    """A parameter's value: short floats, `none` for None, lists joined as in --set."""
    if given is None:
        return "none"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, float):
        return f"{given:.4g}"
    if isinstance(given, list | tuple):
        return "+".join(value(item) for item in given)
    return str(given)


def metric(metrics: Mapping[str, float], name: str, *, interval: bool = False) -> str:
    """A metric with three digits after the point, with its 95 % half width if asked; a dash where it is undefined."""
    if name not in metrics:
        return DASH
    half = metrics.get(f"{name}/ci95") if interval else None
    return f"{metrics[name]:.3f}" if half is None else f"{metrics[name]:.2f} ±{half:.2f}"


def digits(number: float) -> str:
    """Four significant digits, or all before the point: `0.9983`, `1.249`, `266,610`, `3.2e+30`."""
    short = f"{number + 0.0:.4g}"  # -0.0 + 0.0 is 0.0
    return f"{number:,.0f}" if 1000 <= abs(float(short)) < _LARGEST_WHOLE else short


def with_interval(number: float, half: float | None) -> str:
    """A number and the half width of its 95 % interval, as far as that is known to two digits: `0.1871 ±0.0043`.

    A half width that is nothing but rounding of equal numbers is 0.
    """
    if half is None or not math.isfinite(half):
        return digits(number)
    if half <= _ROUNDING * abs(number):
        return f"{digits(number)} ±0"
    places = 1 - math.floor(math.log10(half))
    if places > _MOST_PLACES or abs(number) >= _LARGEST_WHOLE:
        return f"{digits(number)} ±{half:.2g}"
    places = max(0, places)
    return f"{round(number, places) + 0.0:,.{places}f} ±{half:,.{places}f}"


def setting(params: Mapping[str, Any]) -> str:
    """`label_noise=0.5 width=96`."""
    names = short_names(params)
    return " ".join(f"{names[name]}={value(given)}" for name, given in params.items())
