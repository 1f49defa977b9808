"""What is wrong with what a user wrote, in parts; they become a sentence where it is printed, in the reader's terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from trainables.dotted import short_name


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        reason: What; with the value, or the value is in `value`.
        location: Names of fields (and places in lists), from the outermost section on; () where none is to blame.
        value: The value as it is shown, where the reason does not name it.
        fix: What was probably meant: whole sentences, or "".
        allowed: Names of what there is, where the reason is a name that there is not.
        heading: Of the allowed names.
        place: Where and how the user said it, e.g. `--set model.width`; "": as `location` says.
    """

    reason: str
    location: tuple[str, ...] = ()
    value: str = ""
    fix: str = ""
    allowed: tuple[str, ...] = ()
    heading: str = "Allowed"
    place: str = ""

    @property
    def field(self) -> str:
        """The dotted name of the field."""
        return short_name(".".join(self.location))

    def in_section(self, *path: str) -> Problem:
        """The same of a section that lies in others."""
        return replace(self, location=(*path, *self.location))

    def said_at(self, place: str) -> Problem:
        """The same, with where the user said it: before the name of the field if `place` ends with a colon."""
        field = f" {self.place or self.field}".rstrip()
        return replace(self, place=f"{place}{field}" if place.endswith(":") else place)

    def sentence(self) -> str:
        """`model.widht: there is no field 'widht'. Did you mean 'width'? Allowed: …`."""
        where = (self.place or self.field).removesuffix(":")
        given = f" (given: {self.value})" if self.value else ""
        text = f"{where}: {self.reason}{given}" if where else f"{self.reason}{given}"
        listed = f"{self.heading}: {', '.join(self.allowed)}." if self.allowed else ""
        return " ".join(filter(None, (text if text.endswith((".", "?", "!")) else f"{text}.", self.fix, listed)))


class Refused(ValueError):
    """Something is not allowed: a message, or problems that keep their parts.

    Attributes:
        problems: () where there is a message only.
    """

    def __init__(self, said: str | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = () if isinstance(said, str) else tuple(said)
        super().__init__(said if isinstance(said, str) else self.problems)

    def __str__(self) -> str:
        return " ".join(problem.sentence() for problem in self.problems) if self.problems else super().__str__()


def problems_in(error: ValueError) -> tuple[Problem, ...]:
    """The problems of an error; its text as one where it has no parts."""
    parts = error.problems if isinstance(error, Refused) else ()
    return parts or (Problem(str(error)),)
