"""What follows each compression step: nothing, or training that lets the smaller networks recover."""

from dataclasses import dataclass, replace

from trainables.bench import Bench
from trainables.compression.interfaces import Compressed, Level
from trainables.compression.masks import masked, shuffled
from trainables.compression.tickets import ticket_start
from trainables.pausing import Pausing
from trainables.stack.model import StackedModel
from trainables.training.loop import early_stop


@dataclass(frozen=True)
class Recovered:
    """What a recovery made.

    Args:
        shown: The networks that the level is about: these are measured.
        chain: What the next level compresses; others where the shown ones are a ticket's controls.
    """

    shown: Compressed
    chain: Compressed


def epochs_at(total: int, depth: int, level: int) -> int:
    """Epochs of level 1 … depth, out of `total` over all; the first levels get what does not divide evenly."""
    share, rest = divmod(total, depth)
    return share + (level <= rest)


def recover(bench: Bench, level: Level, compressed: Compressed) -> Pausing[Recovered]:
    """The networks after the configured recovery; trains on the labels that each was given, without a stop rule.

    `finetune` trains on, at a constant rate. The other three start again and train as the dense networks were, with the
    level's epochs (optimizer and schedule start anew):

    - `rewind` puts what is left back to its weights at `compression.rewind_to`: by default those before training, a
      lottery ticket (Frankle & Carbin 2019, arXiv:1803.03635), else late rewinding (Frankle et al. 2019,
      arXiv:1903.01611). The trained ticket is what the next level compresses.
    - `reinit` and `shuffled` are controls of the *same* tickets: at every level the mask comes from a chain that
      rewinds, which is trained beside them, and they train fresh weights under that mask, or the initial weights of as
      many random places of each layer (control experiments of the paper, sections 2 and 4; Zhou et al. 2019,
      arXiv:1905.01067). Pruning the controls themselves would be other experiments.

    With `compression.ticket` masks and weights come from a file instead, found on other data or with another optimizer;
    `shuffled` and the scratch arm are then its controls. What is masked stays 0.
    """
    compression = bench.config.compression
    if compression.recovery == "none":
        return Recovered(compressed, compressed)
    epochs = epochs_at(compression.recovery_epochs, compression.depth, level.number)
    if compression.recovery == "finetune":
        made = replace(compressed, epochs=compressed.epochs + epochs, recipe=bench.fixed_recipe(max(1, epochs)))
        if epochs:
            made = yield from _trained(bench, "recovery", made, compressed.stack)
        return Recovered(made, made)
    dense = bench.config.training
    again = {"schedule": dense.schedule, "warmup_epochs": dense.warmup_epochs}
    recipe = bench.fixed_recipe(epochs).model_copy(update=again)
    compressed = replace(compressed, epochs=epochs, recipe=recipe)
    if compression.recovery == "rewind":
        made = yield from _trained(bench, "recovery", compressed, _rewound(bench, compressed))
        return Recovered(made, made)
    shown, stack = compressed, bench.fresh(level.widths, "reinit", level.number)
    if compression.recovery == "shuffled":
        stack = ticket_start(bench)
        draws = bench.draws_for_networks
        shown = replace(
            compressed,
            masks=shuffled(compressed.masks or {}, lambda name, k: draws("shuffle", level.number, name)(k)),
        )
    shown = yield from _trained(bench, "control", shown, stack)
    if level.number == compression.depth:
        return Recovered(shown, shown)
    chain = yield from _trained(bench, "recovery", compressed, _rewound(bench, compressed))
    return Recovered(shown, chain)


def _rewound(bench: Bench, compressed: Compressed) -> StackedModel:
    if compressed.origin is None:
        raise ValueError("these units come from no dense network, so that they have nothing to rewind to")
    return ticket_start(bench).keep_units(compressed.origin)


def _trained(bench: Bench, name: str, compressed: Compressed, stack: StackedModel) -> Pausing[Compressed]:
    """The stack under the masks, trained; with the epoch after which validation loss was smallest, where watched."""
    stack, recipe = masked(stack, compressed.masks), compressed.recipe or bench.fixed_recipe(1)
    training = yield from bench.fit(name, stack, bench.train_examples, recipe, compressed.masks)
    return replace(compressed, stack=stack, metrics=compressed.metrics | early_stop(training))
