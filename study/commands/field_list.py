"""What `fields` prints: what can be set of a trial."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from study.display import terminal
from study.display.console import text_for_file
from study.display.words import value
from study.sampling.interfaces import SAMPLERS
from study.settings.fields import SettableField

_WIDTH = 100


def print_fields(fields: Sequence[SettableField]) -> None:
    """A paragraph a field, on the screen."""
    _print(terminal(), fields)


def as_text(fields: Sequence[SettableField]) -> str:
    """The same for a file."""
    return text_for_file(lambda console: _print(console, fields), _WIDTH)


def as_json(fields: Sequence[SettableField]) -> str:
    """A list of objects."""
    return json.dumps([asdict(field) for field in fields], indent=2, ensure_ascii=False, default=str)


def as_csv(fields: Sequence[SettableField]) -> str:
    """A row a field; lists are joined by spaces."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("name", "type", "default", "meaning", "values", "read_by", "samplers"))
    for field in fields:
        cells: tuple[Any, ...] = (field.name, field.kind, value(field.default), field.meaning)
        rows.writerow((*cells, " ".join(field.values), _readers(field, " "), " ".join(field.samplers)))
    return text.getvalue().rstrip("\n")


def _print(console: Console, fields: Sequence[SettableField]) -> None:
    """Name, type and default in one line; below it what it means, who reads it, and who may span it."""
    for field in fields:
        heading = Text.assemble((field.name, "bold"), f"  {field.kind}, ", (f"default {value(field.default)}", "dim"))
        console.print(heading)
        for line in filter(None, (field.meaning, _names(field), _use(field))):
            console.print(Padding(Text(line), (0, 0, 0, 4), expand=False))


def _names(field: SettableField) -> str:
    return f"Names: {', '.join(field.values)}." if field.values else ""


def _use(field: SettableField) -> str:
    read = f"Read with {_readers(field, ' or ')} only." if field.read_by else ""
    return f"{read} {_who_spans(field)}".strip()


def _readers(field: SettableField, between: str) -> str:
    return between.join(f"{chooser}={entry}" for chooser, entries in field.read_by.items() for entry in entries)


def _who_spans(field: SettableField) -> str:
    """Who may span it, where that is not everybody."""
    others = [name for name in SAMPLERS.names() if name not in field.samplers]
    if not field.samplers:
        return "Never spanned."
    if not others:
        return ""
    if len(others) < len(field.samplers):
        return f"Spanned by every sampler but {', '.join(others)}."
    return f"Spanned by {', '.join(field.samplers)} only."
