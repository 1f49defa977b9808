"""Messages about names that do not exist."""

import difflib
from collections.abc import Iterable

from trainables.problems import Problem


def unknown(kind: str, given: str, known: Iterable[str]) -> Problem:
    """What was given, what was probably meant and what is allowed."""
    known = tuple(known)
    close = difflib.get_close_matches(given, known, n=1, cutoff=0.6)
    fix = f"Did you mean {close[0]!r}?" if close else ""
    return Problem(f"there is no {kind} {given!r}", fix=fix, allowed=known)


def unknown_name(kind: str, given: str, known: Iterable[str]) -> str:
    """The same as one sentence."""
    return unknown(kind, given, known).sentence()
