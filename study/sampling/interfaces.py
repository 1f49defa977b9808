"""What a sampler is: it lays trials out in advance, or it learns from those that have ended."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from study.errors import UsageError
from study.sampling.draws import derive
from trainables.registry import Entry, Registry

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

    from search_spaces.space import Scalar, SearchSpace


class Layout(Protocol):
    """Where trial n lies: a function of space, seed and n alone."""

    def point(self, index: int) -> dict[str, Scalar]:
        """Spanned name → value.

        Raises:
            UsageError: There is no such point.
        """


class Sampler(Entry, ABC):
    """Base of every module of `study/sampling/samplers`."""

    name: ClassVar[str]
    """As in messages: the module's name."""
    learns: ClassVar[bool] = False
    """Whether it proposes from what trials brought, so that its trials are a selection and carry no answer."""
    keeps_bounds: ClassVar[bool] = False
    """Whether it keeps metrics within constraints."""


class LayoutSampler(Sampler, ABC):
    """Lays trials out in advance."""

    def size(self, space: SearchSpace) -> int | None:
        """How many points its plan has; None: it never ends.

        Raises:
            UsageError: It can't lay out such a space.
        """
        return None

    @abstractmethod
    def layout(self, space: SearchSpace, seed: int) -> Layout:
        """The plan of a study.

        Raises:
            UsageError: It can't lay out such a space.
        """


@dataclass(frozen=True)
class Generations:
    """How a genetic sampler of Optuna's notes in a trial which generation it belongs to.

    Attributes:
        key: The trial's attribute.
        cache: Prefix of the study's attributes that name the parents chosen from a generation.
        population: Trials a generation.
    """

    key: str
    cache: str
    population: int


class LearningSampler(Sampler, ABC):
    """Learns from trials that have ended; Optuna's, made anew for each ask."""

    learns: ClassVar[bool] = True
    learns_conditional: ClassVar[bool] = False
    """Whether it learns fields that only some trials have."""
    one_objective: ClassVar[bool] = False
    needs_ranges: ClassVar[bool] = False
    """Whether it can't choose from lists."""
    watches_running: ClassVar[bool] = False
    """Whether it keeps clear of trials that are on their way."""
    carries_state: ClassVar[bool] = False
    """Whether its state travels with its trials: it goes on only if it is asked for all of them again. Trials of
    another study are then given to it, not told."""
    least_warm: ClassVar[int] = 1
    """Trials of another study that it can start from, at least."""
    package: ClassVar[str | None] = None
    """What has to be installed beside Optuna: an extra of ockham of the same name."""

    @abstractmethod
    def optuna(self, study_seed: int, number: int, warm: Sequence[FrozenTrial]) -> BaseSampler:
        """Optuna's sampler for the ask of trial `number`; draws depend on study seed and number alone.

        Args:
            warm: Trials of another study, for those that carry state.
        """

    def generations(self) -> Generations | None:
        """How a genetic sampler makes generations; None of any other sampler."""
        return None

    def check(self, space: SearchSpace, objectives: Sequence[str]) -> None:
        """Refuses what the sampler can't do.

        Raises:
            UsageError: Says what, and what to take instead.
        """
        from search_spaces.space import Choices  # brings Optuna, which listing samplers does not need

        if not space.span:
            raise UsageError(f"sampler={self.name} has nothing to choose: span a field, e.g. model.width=16..512:log")
        if not self.learns_conditional and (conditional := space.activation.conditional):
            raise UsageError(
                f"sampler={self.name} can't learn {conditional[0]}, which only some trials have; take "
                f"{_either(_samplers_that('learns_conditional') + layout_names())}"
            )
        if self.one_objective and len(objectives) > 1:
            raise UsageError(
                f"sampler={self.name} optimises one objective, not {len(objectives)} ({', '.join(objectives)}); choose "
                f"with --objective {objectives[0]}, or take {_either(_samplers_that('one_objective', are=False))}"
            )
        lists = [name for name, spanned in space.span.items() if isinstance(spanned, Choices)]
        if self.needs_ranges and lists:
            raise UsageError(
                f"sampler={self.name} needs ranges, but {lists[0]} spans a list; write a range, e.g. --set "
                f"{lists[0]}=16..512, or take {_either(_samplers_that('needs_ranges', are=False))}"
            )
        if self.package is not None and importlib.util.find_spec(self.package) is None:
            raise UsageError(
                f"sampler={self.name} needs the package {self.package}: pip install 'ockham[{self.package}]'"
            )

    def seed(self, study_seed: int, *names: str | int) -> int:
        """32 bits for a draw of the sampler."""
        return derive(study_seed, self.name, *names) % 2**32


SAMPLERS: Registry[Sampler] = Registry("study.sampling.samplers", Sampler, "sampler")


def layout_names() -> tuple[str, ...]:
    """Samplers that lay trials out."""
    return tuple(name for name in SAMPLERS.names() if not SAMPLERS.get(name).learns)


def learning_names() -> tuple[str, ...]:
    """Samplers that learn."""
    return tuple(name for name in SAMPLERS.names() if SAMPLERS.get(name).learns)


def bounded_names() -> tuple[str, ...]:
    """Samplers that keep metrics within constraints."""
    return tuple(name for name in SAMPLERS.names() if SAMPLERS.get(name).keeps_bounds)


def learning(name: str) -> LearningSampler:
    """A sampler that learns.

    Raises:
        ValueError: There is none of that name, or it lays trials out.
    """
    sampler = SAMPLERS.get(name)()
    if not isinstance(sampler, LearningSampler):
        raise ValueError(f"sampler={name} lays trials out and learns from none")
    return sampler


def laying_out(name: str) -> LayoutSampler:
    """A sampler that lays trials out.

    Raises:
        ValueError: There is none of that name, or it learns.
    """
    sampler = SAMPLERS.get(name)()
    if not isinstance(sampler, LayoutSampler):
        raise ValueError(f"sampler={name} learns and lays nothing out")
    return sampler


def _samplers_that(trait: str, *, are: bool = True) -> tuple[str, ...]:
    return tuple(name for name in learning_names() if getattr(SAMPLERS.get(name), trait) == are)


def _either(names: Sequence[str]) -> str:
    """`sampler=tpe, gp or random`."""
    return f"sampler={', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else f"sampler={names[0]}"
