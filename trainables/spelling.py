"""Messages about names that do not exist."""

import difflib
from collections.abc import Iterable


def unknown_name(kind: str, given: str, known: Iterable[str]) -> str:
    """One sentence that says what was given, what was probably meant and what is allowed."""
    known = list(known)
    close = difflib.get_close_matches(given, known, n=1, cutoff=0.6)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"there is no {kind} {given!r}.{hint} Allowed: {', '.join(known)}."
