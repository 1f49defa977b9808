"""Structured pruning: the units that a criterion scores lowest are removed, and the networks really shrink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import CRITERIA, Compressed, Level, Method

if TYPE_CHECKING:
    from trainables.bench import Bench
    from trainables.pausing import Pausing


class Prune(Method):
    """Removes units layer by layer; scores are taken on the network as the last level left it."""

    def compress(self, bench: Bench, level: Level) -> Pausing[Compressed]:
        """Exactly `level.widths` units stay in each group, of those that were there."""
        from trainables.compression.keeping import units_to_keep

        config = bench.config.compression
        criterion = CRITERIA.get(config.criterion).model_validate(config.options(config.criterion))
        stack, kept = level.previous, []
        for group, width in zip(stack.groups, level.widths, strict=True):
            draws = bench.draws_for_networks("criterion", level.number, group.name)
            kept.append(units_to_keep(criterion.scores(stack, group, draws), width, config.direction))
            yield
        origin = level.origin
        if origin is not None:
            origin = [units.gather(1, index) for units, index in zip(origin, kept, strict=True)]
        return Compressed(stack.keep_units(kept), origin, level.epochs)


ENTRY = Prune
