"""How a worker finds the function that its trials are."""

from collections.abc import Callable
from typing import Any

from study.errors import UsageError


def importable_name(trial: Callable[..., Any] | str) -> str:
    """`module:name` of a function.

    Raises:
        UsageError: It lies in a script or inside another function, where no other process can import it from.
    """
    if isinstance(trial, str):
        return trial
    module, name = trial.__module__, trial.__qualname__
    if module == "__main__" or "<" in name:
        raise UsageError(f"{module}:{name}: a trial function must be importable: put it at the top level of a module")
    return f"{module}:{name}"
