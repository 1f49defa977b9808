"""The named studies by name."""

import importlib

from search_spaces.space import SearchSpace
from trainables.registry import names_in
from trainables.spelling import unknown_name

_PACKAGE = "search_spaces.named"


def names() -> tuple[str, ...]:
    """Names of the studies that ship with Ockham, sorted."""
    return names_in(_PACKAGE)


def get(name: str) -> SearchSpace:
    """The space of the study called `name`.

    Raises:
        ValueError: No such study; names those there are and the closest.
        TypeError: Its module binds no `SearchSpace` to SPACE.
    """
    if name not in names():
        raise ValueError(unknown_name("named study", name, names()))
    space = getattr(importlib.import_module(f"{_PACKAGE}.{name}"), "SPACE", None)
    if not isinstance(space, SearchSpace):
        raise TypeError(f"{_PACKAGE}.{name} must bind SPACE to a SearchSpace")
    return space
