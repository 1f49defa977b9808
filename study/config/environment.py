"""Where things are unless told otherwise: the environment's word, which commands and Python heed alike."""

import os
from collections.abc import Callable
from pathlib import Path

DEFAULT_HOME = Path("studies")


def usual_home() -> Path:
    """Folder of all studies: `$OCKHAM_HOME`, else `./studies`."""
    return Path(os.environ.get("OCKHAM_HOME") or DEFAULT_HOME).expanduser()


def said_in(variable: str) -> Callable[[], str | None]:
    """A default that is the value of an environment variable, read when it is needed; None where it is unset."""
    return lambda: os.environ.get(variable) or None
