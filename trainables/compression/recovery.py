"""What follows each compression step: nothing, or training that lets the smaller networks recover."""

from dataclasses import replace

from trainables.bench import Bench
from trainables.compression.interfaces import Compressed, Level
from trainables.compression.masks import masked, shuffled
from trainables.pausing import Pausing


def epochs_at(total: int, depth: int, level: int) -> int:
    """Epochs of level 1 … depth, out of `total` over all; the first levels get what does not divide evenly."""
    share, rest = divmod(total, depth)
    return share + (level <= rest)


def recover(bench: Bench, level: Level, compressed: Compressed) -> Pausing[Compressed]:
    """The networks after the configured recovery; trains on the labels that each was given, without a stop rule.

    `finetune` trains on. `rewind` puts what is left back to its initial weights (a lottery ticket), `reinit` draws
    fresh ones; `shuffled` keeps as many initial weights in each layer, but random ones, and the next level prunes
    those. All three then train with the level's epochs. What is masked stays 0.
    """
    compression = bench.config.compression
    if compression.recovery == "none":
        return compressed
    epochs = epochs_at(compression.recovery_epochs, compression.depth, level.number)
    trained, masks = epochs, compressed.masks
    if compression.recovery == "finetune":
        stack, trained = compressed.stack, compressed.epochs + epochs
    elif compression.recovery == "rewind" and compressed.origin is not None:
        stack = bench.initial().keep_units(compressed.origin)
    elif compression.recovery == "shuffled" and masks is not None:
        stack = bench.initial()
        masks = shuffled(masks, lambda name, k: bench.draws_for_networks("shuffle", level.number, name)(k))
    else:
        stack = bench.fresh(level.widths, "reinit", level.number)
    stack = masked(stack, masks)
    recipe = bench.fixed_recipe(max(1, epochs))
    if epochs:
        yield from bench.fit("recovery", stack, bench.train_examples, recipe, masks)
    return replace(compressed, stack=stack, epochs=trained, recipe=recipe, masks=masks)
