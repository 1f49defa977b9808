"""Which measures are taken: the section `measures` of a configuration. Torch-free."""

from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from trainables.explain import in_field
from trainables.listing import names_in
from trainables.parts import EntrySection
from trainables.problems import Refused
from trainables.spelling import unknown

_PACKAGE = "trainables.measures"
# What costs at most 2 % of a trial of the default study together (tests/benchmarks/measures.py).
DEFAULT = ("margins", "norms")
_SETS = ("none", "default", "all")


class MeasuresConfig(EntrySection):
    """What is measured inside networks; written `measures=norms+spectrum`, and below it the fields of each measure."""

    choosers: ClassVar[dict[str, str]] = {"names": _PACKAGE}

    names: str = Field(
        "default", description="modules of trainables/measures joined by +; default: the cheap ones; none; all"
    )

    @model_validator(mode="before")
    @classmethod
    def _names_alone(cls, values: Any) -> Any:
        return {"names": values} if isinstance(values, str) else values

    @field_validator("names")
    @classmethod
    def _names(cls, names: str) -> str:
        said = names.split("+")
        for name in said:
            if name not in (*names_in(_PACKAGE), *_SETS):
                raise Refused([unknown("measure", name, (*_SETS, *names_in(_PACKAGE)))])
        if "none" in said and len(said) > 1:
            raise ValueError("none goes with no other measure; leave it out")
        if twice := [name for name in said if said.count(name) > 1]:
            raise ValueError(f"{twice[0]} is there twice; write each measure once")
        return names

    @property
    def chosen_names(self) -> tuple[str, ...]:
        """The measures that are named, sets written out; sorted."""
        sets: dict[str, tuple[str, ...]] = {"none": (), "default": DEFAULT, "all": names_in(_PACKAGE)}
        return tuple(sorted({one for name in self.names.split("+") for one in sets.get(name, (name,))}))

    def entries(self) -> dict[str, str]:
        """The measures that are named, and their package."""
        return dict.fromkeys(self.chosen_names, _PACKAGE)

    def _not_selected(self, key: str, selected: list[str]) -> Refused:
        if key in names_in(_PACKAGE):
            return in_field(key, f"fields of {key} need measures=…+{key}, and measures is {self.names} here.")
        return Refused([unknown("field", key, selected).in_section(key)])
