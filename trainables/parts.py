"""What sections of a configuration are made of. Torch-free."""

import importlib
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from trainables.explain import in_field, problems_of
from trainables.listing import names_in
from trainables.problems import Refused
from trainables.registry import refuse_truth_as_number
from trainables.spelling import unknown

Fraction = Annotated[float, Field(ge=0, le=1)]
# In the annotation of a field: its value names a file that trials read, which is then compared when a study goes on.
NAMED_FILE = "names a file that trials read"


class ConfigSection(BaseModel):
    """A frozen section of a configuration that refuses unknown keys.

    Written out in Python, with something wrong, it raises `refusal` with a sentence for each problem; `model_validate`
    raises pydantic's own error, for readers that say the same in other terms.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)
    refusal: ClassVar[type[Refused]] = Refused

    if not TYPE_CHECKING:  # for type checkers the fields are the arguments

        def __init__(self, /, **fields: Any) -> None:
            try:
                super().__init__(**fields)
            except ValidationError as error:
                raise self.refusal(problems_of(error, type(self))) from None

        __init__.__pydantic_base_init__ = True  # else `model_validate` would come through here as well

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        return refuse_truth_as_number(cls, value, info)


class EntrySection(ConfigSection):
    """A section that names entries of registries and may carry their own fields under their names."""

    model_config = ConfigDict(extra="allow")

    choosers: ClassVar[dict[str, str]] = {}
    """Field → the dotted package whose entries it names, several joined with +; of two of one name the first counts."""

    def entries(self) -> dict[str, str]:
        """Selected entry names → the dotted package that holds them."""
        choosers = reversed(self.choosers.items())
        return {name: package for field, package in choosers for name in str(getattr(self, field)).split("+")}

    def options(self, entry: str) -> dict[str, Any]:
        """The fields given under the entry's own name, {} if none."""
        return dict((self.__pydantic_extra__ or {}).get(entry, {}))

    def options_of(self, chooser: str) -> dict[str, Any]:
        """The fields given for the one entry that this field names; {} if its name means that of an earlier chooser."""
        name = getattr(self, chooser)
        return self.options(name) if self.entries()[name] == self.choosers[chooser] else {}

    @model_validator(mode="after")
    def _options_belong_to_selected_entries(self) -> Self:
        selected = self.entries()
        for key, value in (self.__pydantic_extra__ or {}).items():
            if key not in selected:
                raise self._not_selected(key, list(selected))
            if not isinstance(value, dict):
                raise in_field(key, f"{key!r} holds fields of its own, e.g. {key}.FIELD; it has no value itself")
            entry = importlib.import_module(f"{selected[key]}.{key}").ENTRY
            try:
                entry.model_validate(value)
            except ValidationError as error:
                raise Refused(problem.in_section(key) for problem in problems_of(error, entry)) from None
        return self

    def _not_selected(self, key: str, selected: list[str]) -> Refused:
        for field, package in self.choosers.items():
            if key in names_in(package):
                return in_field(key, f"fields of {key} need {field}={key}, and {field} is {getattr(self, field)} here.")
        return Refused([unknown("field", key, [*type(self).model_fields, *selected]).in_section(key)])


def field_type(root: type[BaseModel], name: str) -> Any:
    """The type of a dotted field, those of entries included (`compression.distill.epochs`), without its bounds.

    None where there is no such field.

    Args:
        root: The section that the name starts in, e.g. `TrialConfig`.
    """
    first, _, rest = name.partition(".")
    if first in root.model_fields:
        field = root.model_fields[first]
        if not rest:
            return field.annotation
        inner = field.annotation
        return field_type(inner, rest) if isinstance(inner, type) and issubclass(inner, BaseModel) else None
    if rest and issubclass(root, EntrySection):
        for package in root.choosers.values():
            if first in names_in(package):
                return field_type(importlib.import_module(f"{package}.{first}").ENTRY, rest)
    return None


def require_module(package: str, kind: str, name: str) -> str:
    """The name, if the package has a module of that name.

    Raises:
        ValueError: It has none; lists what there is.
    """
    if name not in names_in(package):
        raise Refused([unknown(kind, name, names_in(package))])
    return name
