"""What the named studies took where they were recorded last, from the page that `ockham replicate` writes."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("REPLICATIONS.md")
MARK = re.compile(r"<!-- recorded (\{.*\}) -->")


@cache
def core_minutes(page: Path = PAGE) -> Mapping[tuple[str, str], float]:
    """(study, size) → processor time of all its trials together, when it was recorded last.

    Only what the page has, and says in a form that can be read; a declaration may have changed since.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    return dict(pair for mark in MARK.findall(text) for pair in _pairs(mark))


def _pairs(mark: str) -> Iterator[tuple[tuple[str, str], float]]:
    try:
        said: Any = json.loads(mark)
        pairs = [((str(name), str(said["size"])), float(said["core_minutes"])) for name in said["identities"]]
    except (ValueError, KeyError, TypeError):  # a section of another kind, or one that somebody has edited
        return
    yield from pairs
