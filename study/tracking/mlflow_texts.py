"""How configurations are written in MLflow, where every parameter is a text."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from study.ledger import TrialRow


def run_name(row: TrialRow, spanned: Sequence[str]) -> str:
    """What a trial is called among others, e.g. `0007 width=64 noise=0.5 magnitude_l2 depth=6`."""
    parts = []
    for name in spanned:
        value = row.params.get(name, row.proposed.get(name))
        if value is None:
            continue
        short = name.rsplit(".", 1)[-1].removeprefix("label_")
        text = f"{value:.4g}" if isinstance(value, float) else as_param(value)
        parts.append(text if isinstance(value, str) else f"{short}={text}")
    return " ".join([f"{row.number:04d}", *parts])


def as_param(value: Any) -> str:
    """In the notation of `--set`: none, true, 1000+400+397."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "+".join(as_param(part) for part in value)
    return json.dumps(value) if isinstance(value, dict) else str(value)


def params_of(row: TrialRow) -> dict[str, str]:
    """A trial's configuration, by dotted name."""
    return {name: as_param(value) for name, value in row.params.items()}


def cut(texts: Mapping[str, str], longest: int) -> dict[str, str]:
    """Each text at the length that MLflow takes."""
    return {name: text[:longest] for name, text in texts.items()}


def span_text(spanned: Any) -> str:
    """What a field is spanned over, in the notation of `--set`."""
    values = getattr(spanned, "values", None)
    if values is not None:
        return ",".join(as_param(value) for value in values)
    return f"{spanned.low}..{spanned.high}{':log' if spanned.log else ''}"
