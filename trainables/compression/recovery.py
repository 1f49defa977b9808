"""What follows each compression step: nothing, or training that lets the smaller networks recover."""

from dataclasses import replace

from trainables.bench import Bench
from trainables.compression.interfaces import Compressed, Level
from trainables.config import TrialConfig
from trainables.pausing import Pausing


def epochs_at(total: int, depth: int, level: int) -> int:
    """Epochs of level 1 … depth, out of `total` over all; the first levels get what does not divide evenly."""
    share, rest = divmod(total, depth)
    return share + (level <= rest)


def check(config: TrialConfig) -> None:
    """Refuses recoveries that cannot be carried out.

    Raises:
        ValueError: Rewinding what has no units of the dense network, or fresh weights with no epoch to train them.
    """
    compression = config.compression
    if compression.recovery == "rewind" and compression.method == "distill":
        raise ValueError("recovery=rewind needs units of the dense network; students of distill have none")
    if compression.recovery in ("rewind", "reinit") and compression.recovery_epochs < compression.depth:
        raise ValueError(
            f"recovery={compression.recovery} needs at least one epoch at each of {compression.depth} levels, "
            f"recovery_epochs={compression.recovery_epochs} gives fewer"
        )


def recover(bench: Bench, level: Level, compressed: Compressed) -> Pausing[Compressed]:
    """The networks after the configured recovery; trains on the labels that each was given, without a stop rule.

    `finetune` trains on. `rewind` puts the units that are left back to their initial weights, `reinit` draws fresh
    ones; both then train with the level's epochs.
    """
    compression = bench.config.compression
    if compression.recovery == "none":
        return compressed
    epochs = epochs_at(compression.recovery_epochs, compression.depth, level.number)
    trained = epochs
    if compression.recovery == "finetune":
        stack, trained = compressed.stack, compressed.epochs + epochs
    elif compression.recovery == "rewind" and compressed.origin is not None:
        stack = bench.initial().keep_units(compressed.origin)
    else:
        stack = bench.fresh(level.widths, "reinit", level.number)
    recipe = bench.fixed_recipe(max(1, epochs))
    if epochs:
        yield from bench.fit("recovery", stack, bench.train_examples, recipe)
    return replace(compressed, stack=stack, epochs=trained, recipe=recipe)
