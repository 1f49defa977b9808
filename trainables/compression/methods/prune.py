"""Structured pruning: the units that a criterion scores lowest are removed, and the networks really shrink."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pydantic import Field

from trainables.compression.interfaces import CRITERIA, Compressed, Level, Method

if TYPE_CHECKING:
    from trainables.bench import Bench
    from trainables.pausing import Pausing


class Prune(Method):
    """Removes units layer by layer; scores are taken on the network as the last level left it."""

    steps: int = Field(1, ge=1, le=1000, description="each level is reached in so many, scores taken anew in between")

    def compress(self, bench: Bench, level: Level) -> Pausing[Compressed]:
        """Exactly `level.widths` units stay in each group, of those that were there.

        With several steps widths shrink by the same factor in each.
        """
        from trainables.compression.evidence import scoring
        from trainables.compression.keeping import units_to_keep

        config = bench.config.compression
        criterion = CRITERIA.get(config.criterion).model_validate(config.options(config.criterion))
        stack, origin = level.previous, level.origin
        for step in range(1, self.steps + 1):
            names = (level.number,) if step == 1 else (level.number, step)
            seen, kept = scoring(bench, stack, origin, *names), []
            for group, start, end in zip(stack.groups, level.previous.widths, level.widths, strict=True):
                width = _between(start, end, step / self.steps)
                kept.append(units_to_keep(criterion.scores(seen, group), width, config.direction))
                yield
            stack = stack.keep_units(kept)
            if origin is not None:
                origin = [units.gather(1, index) for units, index in zip(origin, kept, strict=True)]
        return Compressed(stack, origin, level.epochs)


def _between(start: int, end: int, share: float) -> int:
    """start · (end/start)^share, rounded up; exactly `end` at share 1."""
    return end if share == 1 else max(end, math.ceil(start * (end / start) ** share))


ENTRY = Prune
