"""What sections of a configuration are made of. Torch-free."""

import importlib
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from trainables.explain import explain, in_field
from trainables.registry import names_in
from trainables.spelling import unknown_name


class Part(BaseModel):
    """A frozen section of a configuration that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


class EntryPart(Part):
    """A section that names entries of registries and may carry their own fields under their names."""

    model_config = ConfigDict(extra="allow")

    def entries(self) -> dict[str, str]:
        """Selected entry names → the dotted package that holds them."""
        raise TypeError(f"{type(self).__name__} must say which entries it selects")

    def options(self, entry: str) -> dict[str, Any]:
        """The fields given under the entry's own name, {} if none."""
        return dict((self.__pydantic_extra__ or {}).get(entry, {}))

    @model_validator(mode="after")
    def _options_belong_to_selected_entries(self) -> Self:
        selected = self.entries()
        for key, value in (self.__pydantic_extra__ or {}).items():
            if key not in selected:
                raise in_field(key, unknown_name("field", key, [*type(self).model_fields, *selected]))
            if not isinstance(value, dict):
                raise in_field(key, f"{key!r} holds fields of its own, e.g. {key}.FIELD; it has no value itself")
            entry = importlib.import_module(f"{selected[key]}.{key}").ENTRY
            try:
                entry.model_validate(value)
            except ValidationError as error:
                raise in_field(key, explain(error, entry), nested=True) from None
        return self


def known(package: str, kind: str, name: str) -> str:
    """The name, if the package has a module of that name.

    Raises:
        ValueError: It has none; lists what there is.
    """
    if name not in names_in(package):
        raise ValueError(unknown_name(kind, name, names_in(package)))
    return name
