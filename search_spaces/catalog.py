"""The named studies by name."""

import importlib

from search_spaces.named_study import NamedStudy
from search_spaces.space import SearchSpace
from trainables.listing import names_in
from trainables.problems import Refused
from trainables.spelling import unknown

_PACKAGE = "search_spaces.named"


def names() -> tuple[str, ...]:
    """Names of the studies that ship with Ockham, sorted."""
    return names_in(_PACKAGE)


def study(name: str) -> NamedStudy:
    """The study called `name`, with its sizes.

    Raises:
        ValueError: No such study; names those there are and the closest.
        TypeError: Its module binds no `NamedStudy` to STUDY.
    """
    if name not in names():
        raise Refused([unknown("named study", name, names())])
    found = getattr(importlib.import_module(f"{_PACKAGE}.{name}"), "STUDY", None)
    if not isinstance(found, NamedStudy):
        raise TypeError(f"{_PACKAGE}.{name} must bind STUDY to a NamedStudy")
    return found


def asking(title: str) -> NamedStudy | None:
    """The study that asks this question, whatever a study of it is called; None: no named one."""
    return next((found for found in map(study, names()) if found.space.title == title), None)


def get(name: str, size: str | None = None) -> SearchSpace:
    """The space of the study called `name`, in one of its sizes; none: its own.

    Raises:
        ValueError: No such study, or it does not come in that size.
        TypeError: As `study`.
    """
    found = study(name)
    try:
        return found.at(size)
    except ValueError as error:
        raise ValueError(f"{name}, --size {size}: {error}") from None
