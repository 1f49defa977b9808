"""What a measure is: numbers of trained networks, of their layers, or of single examples. Torch-free."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from trainables.pausing import Pausing
from trainables.registry import Entry, Registry

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.config import MeasuresConfig
    from trainables.looking.look import Look

When = Literal["dense", "levels", "training"]


@dataclass(frozen=True)
class MeasureResult:
    """What a measure found in K networks; nan where something is undefined.

    Args:
        networks: Name → [K], what `Measure.reports` lists.
        layers: Name → layer → [K].
        examples: Name → [K, n], one number for each example of `Look.sample`.
        arrays: Name → [K, …]: spectra, curves, weight vectors.
        axes: Name → what the second axis of arrays counts, e.g. `ranks` → [m].
        undefined_reasons: Name in `networks` or `layers` → why a network may lack it.
    """

    networks: Mapping[str, Tensor] = field(default_factory=dict)
    layers: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    examples: Mapping[str, Tensor] = field(default_factory=dict)
    arrays: Mapping[str, Tensor] = field(default_factory=dict)
    axes: Mapping[str, Tensor] = field(default_factory=dict)
    undefined_reasons: Mapping[str, str] = field(default_factory=dict)


class Measure(Entry, ABC):
    """Base of every module of `trainables/measures`; fields are set as `measures.<name>.<field>`."""

    reports: ClassVar[Mapping[str, str]] = {}
    """Name of each number of a network → what it is, in a line."""
    needs_classes: ClassVar[bool] = False
    """Whether it is undefined where networks are asked for numbers."""
    needs_dense: ClassVar[bool] = False
    """Whether compressed networks are held against the dense ones that they come from."""

    when: When = Field("dense", description="of dense networks, at all levels, or at reports during training too")

    @abstractmethod
    def measure(self, look: Look) -> MeasureResult | Pausing[MeasureResult]:
        """What is found in each network of a stack.

        A network's numbers do not depend on what it is stacked with. Only what `look` offers is looked at, and left as
        it is; randomness comes from `look.draws` alone.

        What may take longer than a second on a large stack is a generator: it yields None between networks, layers or
        forward passes, where the trial may be stopped, and returns what it found.
        """


def finish_measure(found: MeasureResult | Pausing[MeasureResult]) -> Pausing[MeasureResult]:
    """What `Measure.measure` has found, or what it finds, with its pauses."""
    if isinstance(found, MeasureResult):
        return found
    return (yield from found)


MEASURES: Registry[Measure] = Registry("trainables.measures", Measure, "measure")  # type: ignore[type-abstract]


def measures_of(config: MeasuresConfig) -> dict[str, Measure]:
    """Name → the measure with its fields, of all that the configuration names; imports them."""
    return {name: MEASURES.get(name).model_validate(config.options(name)) for name in config.chosen_names}
