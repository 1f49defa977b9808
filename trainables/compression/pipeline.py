"""The methods of a trial in the order in which each level applies them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from trainables.compression.interfaces import METHODS, CompressionResult, Level, Method, Rewriting
from trainables.config import CompressionConfig

if TYPE_CHECKING:
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace

_STAGES = ("shape", "form", "code")


@dataclass(frozen=True)
class Pipeline:
    """What a level does: networks are made (and recover), then rewritten.

    Args:
        maker: Makes the level's networks from those of the level before; None: they stay the dense ones.
        rewritings: What their weights are replaced by, one after another. The next level starts from the networks as
            they were before.
    """

    maker: Method | None
    rewritings: tuple[Rewriting, ...]

    @property
    def methods(self) -> tuple[Method, ...]:
        """All, in their order."""
        return self.rewritings if self.maker is None else (self.maker, *self.rewritings)

    @property
    def trains(self) -> bool:
        """Whether a scratch arm runs even without recovery."""
        return self.maker is not None and self.maker.trains

    @property
    def reads(self) -> frozenset[str]:
        """Fields of the compression that say something to a method."""
        return frozenset(name for method in self.methods for name in method.reads)

    def masks(self, compression: CompressionConfig) -> Literal["weights", "units"] | None:
        """What is set to 0 instead of being cut out."""
        return next((kind for method in self.methods if (kind := method.masks(compression))), None)

    @property
    def undefined_reasons(self) -> dict[str, str]:
        """What a method reports → why a network may lack it."""
        return {name: why for method in self.methods for name, why in method.undefined_reasons.items()}

    def make(self, workspace: Workspace, level: Level) -> Pausing[CompressionResult]:
        """The networks of the level, not rewritten."""
        if self.maker is None:
            return CompressionResult(level.previous, level.origin, level.epochs, masks=level.masks)
        return (yield from self.maker.compress(workspace, level))

    def rewrite(self, workspace: Workspace, number: int, made: CompressionResult) -> Pausing[CompressionResult]:
        """As the network is written down at the level; itself where nothing rewrites it."""
        for method in self.rewritings:
            made = yield from method.rewrite(workspace, number, made)
        return made


def pipeline_of(compression: CompressionConfig) -> Pipeline:
    """The methods with the fields given for them.

    Raises:
        ValueError: They can't follow one another.
    """
    methods = [METHODS.get(name).model_validate(compression.options(name)) for name in compression.methods]
    for earlier, later, first, second in zip(
        methods, methods[1:], compression.methods, compression.methods[1:], strict=False
    ):
        if not isinstance(later, Rewriting) or _STAGES.index(earlier.stage) >= _STAGES.index(later.stage):
            raise ValueError(
                f"method={compression.method}: {second} can't follow {first}; a pipeline makes networks smaller "
                f"({', '.join(_at_stage('shape'))}), then writes weights by fewer numbers "
                f"({', '.join(_at_stage('form'))}), then gives the numbers few values "
                f"({', '.join(_at_stage('code'))}), at most one of each"
            )
    rewritings = tuple(method for method in methods if isinstance(method, Rewriting))
    return Pipeline(None if isinstance(methods[0], Rewriting) else methods[0], rewritings)


@cache
def _at_stage(stage: str) -> tuple[str, ...]:
    return tuple(name for name in METHODS.names() if METHODS.get(name).stage == stage)
