"""A folder of modules as a registry: the module's name is the entry's name.

A module in an entry folder defines one frozen pydantic class, whose fields are the entry's hyperparameters,
and binds it to `ENTRY`. Names are listed without importing anything; `get` imports one module and checks it.
"""

import ast
import contextlib
import importlib.util
import typing
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from trainables.listing import names_in
from trainables.problems import Refused
from trainables.spelling import unknown


class Entry(BaseModel):
    """Base of everything that a folder of entries can hold: a frozen set of hyperparameters with behaviour."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reads: ClassVar[tuple[str, ...]] = ()
    """Fields of its section of a configuration that say something to it, and not to every entry of its kind."""

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        return refuse_truth_as_number(cls, value, info)


def refuse_truth_as_number(model: type[BaseModel], value: Any, info: ValidationInfo) -> Any:
    """`value`, unless it is true or false and its field holds numbers, as which pydantic would read 1 and 0.

    Raises:
        ValueError: It is.
    """
    there = value if isinstance(value, list | tuple) else (value,)
    if any(isinstance(each, bool) for each in there):
        kinds = _kinds(model.model_fields[str(info.field_name)].annotation)
        if kinds & {int, float} and not kinds & {bool, Any, object}:
            raise ValueError("must be a number; true and false (yes, no, on and off in some YAML) are none")
    return value


def _kinds(annotation: Any) -> set[Any]:
    """All types that an annotation names, at any depth."""
    return {annotation}.union(*map(_kinds, typing.get_args(annotation)))


T = TypeVar("T", bound=Entry)


class Registry(Generic[T]):
    """The entries of one kind.

    Args:
        package: Dotted name of the folder, e.g. `trainables.models`.
        base: The class that every entry of the folder must derive from.
        kind: What an entry is called in messages, e.g. `model`.
    """

    def __init__(self, package: str, base: type[T], kind: str) -> None:
        self.package, self.base, self.kind = package, base, kind

    def get(self, name: str) -> type[T]:
        """The entry class called `name`.

        Raises:
            ValueError: No module of that name; the message lists the names and the closest one.
            TypeError: The module's `ENTRY` is missing or of another kind.
        """
        if name not in names_in(self.package):
            raise Refused([unknown(self.kind, name, names_in(self.package))])
        entry: Any = getattr(importlib.import_module(f"{self.package}.{name}"), "ENTRY", None)
        if not (isinstance(entry, type) and issubclass(entry, self.base)):
            raise TypeError(f"{self.package}.{name} must bind ENTRY to a subclass of {self.base.__name__}")
        return entry

    def literal(self, name: str, attribute: str) -> Any:
        """What an entry binds `attribute` to in its class, a literal: read from its file, which is not executed.

        Words about entries are wanted where what entries compute with (torch takes seconds to import) is not.
        """
        spec = importlib.util.find_spec(f"{self.package}.{name}")
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8")) if spec and spec.origin else ast.Module([], [])
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign) and node.value and ast.unparse(node.target) == attribute:
                with contextlib.suppress(ValueError):  # it is no literal after all
                    return ast.literal_eval(node.value)
        return getattr(self.get(name), attribute)

    def names(self) -> tuple[str, ...]:
        """Names of all entries, sorted; imports none of them."""
        return names_in(self.package)
