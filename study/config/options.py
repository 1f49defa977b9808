"""How a field of a run's configuration is offered on command lines: declared beside the field, once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Option:
    """In the annotation of a field: the command line has it, with the field's description as its help.

    Attributes:
        default: What holds if it is not given, in words.
        metavar: What stands for its value in the help; "" where it is yes or no.
        flags: As typer writes them, e.g. `--progress/--no-progress`; None: `--` and the field's name.
        envvar: The environment's word for it.
        reads: Makes the field's value from the file that the option names.
    """

    default: str
    metavar: str = ""
    flags: str | None = None
    envvar: str | None = None
    reads: Callable[[Path], Any] | None = None
