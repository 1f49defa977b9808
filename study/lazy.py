"""Rooms whose names are imported when first used, so that what needs little of a room costs little."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def on_first_use(room: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """The `__getattr__` of a package (PEP 562).

    Args:
        room: Its `__name__`.
        homes: Module → the names that it gives to the room.
    """
    home_of = {name: module for module, names in homes.items() for name in names}

    def get(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(importlib.import_module(home_of[name]), name)

    return get
