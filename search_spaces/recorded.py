"""What the named studies took where they were recorded last, from the page that `ockham replicate` writes."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("REPLICATIONS.md")
MARK = re.compile(r"<!-- recorded (\{.*\}) -->")


@cache
def core_minutes(page: Path = PAGE) -> Mapping[tuple[str, str], float]:
    """(study, size) → processor time of all its trials together; only those that the page has."""
    if not page.is_file():
        return {}
    marks: list[dict[str, Any]] = [json.loads(one) for one in MARK.findall(page.read_text(encoding="utf-8"))]
    return {
        (name, mark["size"]): float(mark["core_minutes"])
        for mark in marks
        if "core_minutes" in mark
        for name in mark["identities"]
    }
