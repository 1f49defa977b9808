"""Pruning: the units or weights that a criterion scores lowest are removed.

Units with `scope=layer` are really removed, and the networks shrink. Single weights, and units that compete over all
layers, are masked: they are exactly 0 from then on, also while the networks recover. A layer is never emptied: the one
unit or weight that would go last stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from trainables.compression.interfaces import CRITERIA, CompressionResult, Criterion, Level, Method

if TYPE_CHECKING:
    from trainables.config import CompressionConfig
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class Prune(Method):
    """Scores are taken on the network as the last level left it.

    Units of the output layer are the classes, and never go. Single weights of it do, with `scope=layer` at half the
    rate of the other layers, the lottery-ticket paper's convention (Frankle & Carbin 2019, arXiv:1803.03635): small
    networks consist of it so largely that most ratios could not be reached otherwise. With `scope=global` they compete
    with all others. `output_rate=0` leaves them all where they are, whatever the scope.
    """

    reads: ClassVar[tuple[str, ...]] = ("criterion", "granularity", "scope", "direction")

    steps: int = Field(1, ge=1, le=1000, description="each level is reached in so many, scores taken anew in between")
    output_rate: float = Field(
        0.5,
        ge=0,
        le=1,
        description="of single weights, scope=layer: rate of the output layer over that of others; 0: it stays whole",
    )

    def masks(self, compression: CompressionConfig) -> Literal["weights", "units"] | None:
        """Single weights, or units that compete over all layers."""
        if compression.granularity == "weight":
            return "weights"
        return "units" if compression.scope == "global" else None

    def compress(self, workspace: Workspace, level: Level) -> Pausing[CompressionResult]:
        """Makes the level, as granularity and scope say."""
        from trainables.compression.masked_pruning import prune_units_overall, prune_weights

        config = workspace.config.compression
        criterion = CRITERIA.get(config.criterion).model_validate(config.options(config.criterion))
        if config.granularity == "weight":
            return prune_weights(workspace, level, criterion, self.steps, output=self.output_rate > 0)
        if config.scope == "global":
            return prune_units_overall(workspace, level, criterion, self.steps)
        return self._shrink(workspace, level, criterion)

    def _shrink(self, workspace: Workspace, level: Level, criterion: Criterion) -> Pausing[CompressionResult]:
        """Exactly `level.widths` units stay in each group, of those that were there.

        With several steps widths shrink by the same factor in each.
        """
        from trainables.compression.evidence import scoring
        from trainables.compression.keeping import units_to_keep
        from trainables.compression.sizing import interpolate_geometrically

        stack, origin, direction = level.previous, level.origin, workspace.config.compression.direction
        for step in range(1, self.steps + 1):
            names = (level.number,) if step == 1 else (level.number, step)
            seen = scoring(workspace, stack, origin, *names)
            scores, ends = [], zip(level.previous.widths, level.widths, strict=True)
            for group in stack.groups:
                scores.append(criterion.scores(seen, group))
                yield
            kept = units_to_keep(
                scores, [interpolate_geometrically(*both, step / self.steps) for both in ends], direction
            )
            stack = stack.keep_units(kept)
            if origin is not None:
                origin = [units.gather(1, index) for units, index in zip(origin, kept, strict=True)]
        return CompressionResult(stack, origin, level.epochs)


ENTRY = Prune
