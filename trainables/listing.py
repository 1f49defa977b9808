"""What a folder of entries has, by the names of its modules; without a library, for commands that only list them."""

import importlib
import pkgutil
from functools import cache


@cache
def names_in(package: str) -> tuple[str, ...]:
    """Public module names in a package folder, sorted; the modules themselves are not imported."""
    path = importlib.import_module(package).__path__
    return tuple(sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_")))
