"""What a criterion and a compression method are. Torch-free, so that configurations are checked quickly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from trainables.registry import Entry, Registry

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.compression.writing import DrawSource, Encoding, Maker
    from trainables.config import CompressionConfig, TrainingConfig, TrialConfig
    from trainables.looking.scoring import Scoring
    from trainables.pausing import Pausing
    from trainables.stack.model import StackedModel, UnitGroup
    from trainables.training.inputs import Inputs
    from trainables.workspace import Workspace


class Criterion(Entry, ABC):
    """Base of every module of `trainables/compression/criteria`; fields are set as `compression.<name>.<field>`.

    Low scores matter little: they go first, unless `compression.direction` says otherwise.
    """

    scores_weights: ClassVar[bool] = False
    """Whether single weights can be scored too."""
    traces_training: ClassVar[bool] = False
    """Whether `scoring.movement` has to be summed up while dense networks train."""

    @abstractmethod
    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """How much each unit of a group matters to each network.

        Args:
            scoring: What may be looked at; left as it is.
            group: One of `scoring.stack.groups`.
        Returns:
            [K, units] float, finite, detached. A network's scores do not depend on what it is stacked with.
        """

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """How much each single weight matters to its network; shaped as the tensor.

        Args:
            tensor: Name of a matrix or kernel of `scoring.stack`.
        """
        raise ValueError(f"{type(self).__name__} scores units, not single weights")

    @property
    def needs_initial(self) -> bool:
        """Whether scores depend on the weights before training."""
        return False


class WeightCriterion(Criterion):
    """A criterion of single weights; unless it says otherwise a unit's score is the sum over its incoming weights."""

    scores_weights: ClassVar[bool] = True

    @abstractmethod
    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """As `Criterion.weight_scores`."""

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """Σ over a unit's incoming weights; its bias does not count."""
        return scoring.incoming(group, lambda tensor: self.weight_scores(scoring, tensor)).sum(dim=2)


@dataclass(frozen=True)
class Level:
    """One compression step to be made.

    Args:
        number: 1 … depth.
        widths: What the networks shall have afterwards.
        previous: The stack of the level before; left as it is.
        origin: For each group [K, units] int64: which unit of the dense network each unit of `previous` is; None once
            units no longer come from it.
        epochs: Training that `previous` has had since the dense networks, or since its weights were last drawn.
        masks: Parameter → bool of its shape, True where `previous` still has the weight; None: it has all.
    """

    number: int
    widths: tuple[int, ...]
    previous: StackedModel
    origin: list[Tensor] | None
    epochs: int = 0
    masks: dict[str, Tensor] | None = None


@dataclass(frozen=True)
class Sizes:
    """What networks cost that keep the shape of the dense ones; one entry a network.

    Args:
        parameters: Biases and classifier included.
        multiply_adds: On one example.
        widths: Units of each group; None: those of the level.
    """

    parameters: list[int]
    multiply_adds: list[int]
    widths: list[tuple[int, ...]] | None = None


@dataclass(frozen=True)
class CompressionResult:
    """What a compression step makes.

    Args:
        stack: K networks of the level's widths.
        origin, epochs, masks: As in `Level`, for `stack`.
        recipe: How the level was trained; None where nothing was.
        metrics: Name → [K], reported as `level/<name>`.
        sizes: Where they do not follow from the level's widths.
        encoding: How the weights are written down; None: as they are, what is masked left out.
        scratch_widths: Of the scratch arm; None: the level's.
        failed: Network → why nothing can be said of it.
    """

    stack: StackedModel
    origin: list[Tensor] | None
    epochs: int = 0
    recipe: TrainingConfig | None = None
    metrics: dict[str, Tensor] = field(default_factory=dict)
    masks: dict[str, Tensor] | None = None
    sizes: Sizes | None = None
    encoding: Encoding | None = None
    scratch_widths: tuple[int, ...] | None = None
    failed: Mapping[int, str] = field(default_factory=dict)

    def writing(self) -> Encoding:
        """How the networks' weights are written down."""
        from trainables.compression.writing import as_it_is

        return self.encoding or as_it_is(self.stack, self.masks)

    def unit_masks(self) -> dict[str, Tensor] | None:
        """The masks by which whole units are gone, where a description is of the smaller network."""
        return self.masks if self.sizes is not None and self.sizes.widths is not None else None


@dataclass(frozen=True)
class RecoveryResult:
    """What a recovery made.

    Args:
        shown: The networks that the level is about: these are measured.
        chain: What the next level compresses; others where the shown ones are a ticket's controls.
    """

    result: CompressionResult
    next_start: CompressionResult


class Method(Entry, ABC):
    """Base of every module of `trainables/compression/methods`; fields are set as `compression.<name>.<field>`.

    In a pipeline (`compression.method=prune+quantize`) stages follow each other in the order shape, form, code; all but
    the first are `Rewriting`.
    """

    stage: ClassVar[Literal["shape", "form", "code"]] = "shape"
    """What there is less of: units or weights, numbers that weights are made of, or bits of those numbers."""
    trains: ClassVar[bool] = False
    """Whether a level is made by training, so that a scratch arm runs beside it even without recovery."""
    makes_new_units: ClassVar[bool] = False
    """Whether units of its networks are none of the dense ones, so that they can't be rewound."""
    keeps_widths: ClassVar[bool] = False
    """Whether networks keep the widths of the dense ones."""
    reports: ClassVar[tuple[str, ...]] = ()
    """What it says of each network beside what is measured of all: names under `level/`."""
    undefined_reasons: ClassVar[Mapping[str, str]] = {}
    """Why a network may lack one of these, by name; its value is then nan."""

    @abstractmethod
    def compress(self, workspace: Workspace, level: Level) -> Pausing[CompressionResult]:
        """Makes one level; pauses at least every two seconds. Trains through `workspace.fit` only, so it can resume."""

    def least_parameters(self, stack: StackedModel) -> int:
        """Parameters of the smallest networks that a method of stage `form` makes of some, however far it is to go."""
        raise ValueError(f"{type(self).__name__} makes the networks of {stack.widths} units smaller by cutting units")

    def maker(self, source: DrawSource, shape: StackedModel, allowed: float) -> Maker:
        """What makes weights of trained numbers, for networks of a shape that may have `allowed` parameters."""
        raise ValueError(f"{type(self).__name__} trains no numbers in place of weights")

    def masks(self, compression: CompressionConfig) -> Literal["weights", "units"] | None:
        """What it sets to 0 instead of cutting it out; None: nothing."""
        return None

    def check(self, config: TrialConfig) -> None:
        """Refuses a trial that it can be no part of.

        Raises:
            ValueError: Says which fields do not go together, and what would.
        """

    def level_numbers(self, depth: int) -> tuple[int, ...]:
        """Whole numbers, one a level, that no two levels may share; () where levels are not told apart by such."""
        return ()

    def epochs_to(self, level: int) -> int:
        """Epochs of training that making a level takes, with those of the levels before where it starts from them."""
        return 0


class Rewriting(Method, ABC):
    """A method that leaves the shape of networks: their weights become ones that take less to write down.

    Each level rewrites what the level's networks are without it (alone: the dense ones), so that errors never add up
    from level to level.
    """

    keeps_widths: ClassVar[bool] = True

    @property
    def needs_trained_weights(self) -> bool:
        """Whether networks have to be as they were trained from their initial weights."""
        return False

    @property
    def keeps_places(self) -> bool:
        """Whether the places of its numbers are written down too, as those of masked weights are."""
        return False

    def code_books(self, parts: int, channels: int) -> int:
        """How many code books a network of so many parts and output channels has; of methods of stage `code`."""
        return parts

    def words(self, depth: int) -> tuple[int, int]:
        """Bits of a number at the last level, and floats of its code book at most, for methods of stage `code`."""
        raise ValueError(f"{type(self).__name__} gives numbers no code; at depth {depth} they have 32 bits")

    @abstractmethod
    def rewrite(self, workspace: Workspace, number: int, made: CompressionResult) -> Pausing[CompressionResult]:
        """The same networks with other weights, and how these are written down.

        Args:
            number: Of the level, 1 … depth.
            made: Left as it is.
        """

    def compress(self, workspace: Workspace, level: Level) -> Pausing[CompressionResult]:
        """Rewrites the networks of the level before."""
        made = CompressionResult(level.previous, level.origin, level.epochs, masks=level.masks)
        return self.rewrite(workspace, level.number, made)


class Recovery(Entry, ABC):
    """Base of every module of `trainables/compression/recoveries`: what follows each compression step."""

    label: ClassVar[str]
    phrase: ClassVar[str]
    """How it is called where people read it, and what was done with it: `finetuning`, `after finetuning`."""
    rank: ClassVar[int] = 9
    """Its place where several are told, the lowest first."""
    trains: ClassVar[bool] = True
    """Whether networks are trained, so that a scratch arm runs beside them."""
    starts_again: ClassVar[bool] = False
    """Whether units of the dense networks are trained again from other weights than those they have now."""
    moves_weights: ClassVar[bool] = False
    """Whether it needs masks of single weights."""

    @abstractmethod
    def recover(self, workspace: Workspace, level: Level, compressed: CompressionResult) -> Pausing[RecoveryResult]:
        """The networks after it; trains through `workspace.fit` only, so it can resume."""


class Transfer(Entry, ABC):
    """Base of every module of `trainables/compression/transfers`: inputs that students are fitted on."""

    label: ClassVar[str]
    phrase: ClassVar[str]
    """How they are called where people read it, and what was done with them."""
    rank: ClassVar[int] = 9
    """Their place where several are told, the lowest first."""

    @abstractmethod
    def inputs(self, workspace: Workspace) -> Inputs:
        """As many inputs as there are training examples, or more."""


_CRITERIA, _METHODS = "trainables.compression.criteria", "trainables.compression.methods"
CRITERIA: Registry[Criterion] = Registry(_CRITERIA, Criterion, "criterion")  # type: ignore[type-abstract]
METHODS: Registry[Method] = Registry(_METHODS, Method, "compression method")  # type: ignore[type-abstract]
_RECOVERIES, _TRANSFERS = "trainables.compression.recoveries", "trainables.compression.transfers"
RECOVERIES: Registry[Recovery] = Registry(_RECOVERIES, Recovery, "recovery")  # type: ignore[type-abstract]
TRANSFERS: Registry[Transfer] = Registry(_TRANSFERS, Transfer, "kind of transfer inputs")  # type: ignore[type-abstract]
