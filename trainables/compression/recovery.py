"""What follows each compression step: nothing, or training that lets the smaller networks recover."""

from dataclasses import replace

from trainables.bench import Bench
from trainables.compression.interfaces import RECOVERIES, Compressed, Level, Recovered
from trainables.compression.masks import masked
from trainables.compression.tickets import ticket_start
from trainables.config import TrainingConfig
from trainables.pausing import Pausing
from trainables.stack.model import StackedModel
from trainables.training.watching import early_stop


def epochs_at(total: int, depth: int, level: int) -> int:
    """Epochs of level 1 … depth, out of `total` over all; the first levels get what does not divide evenly."""
    share, rest = divmod(total, depth)
    return share + (level <= rest)


def level_epochs(bench: Bench, level: Level) -> int:
    """Epochs of the recovery that are the level's."""
    compression = bench.config.compression
    return epochs_at(compression.recovery_epochs, compression.depth, level.number)


def recover(bench: Bench, level: Level, compressed: Compressed) -> Pausing[Recovered]:
    """The networks after the configured recovery; trains on the labels that each was given, without a stop rule.

    With `compression.ticket` masks and weights come from a file instead, found on other data or with another optimizer;
    `shuffled` and the scratch arm are then its controls. What is masked stays 0.
    """
    compression = bench.config.compression
    entry = RECOVERIES.get(compression.recovery).model_validate(compression.options_of("recovery"))
    return (yield from entry.recover(bench, level, compressed))


def as_dense(bench: Bench, level: Level, compressed: Compressed) -> Compressed:
    """To be trained as the dense networks were, with the level's epochs; optimizer and schedule start anew."""
    epochs, dense = level_epochs(bench, level), bench.config.training
    return replace(compressed, epochs=epochs, recipe=retraining(bench, epochs, dense.schedule, dense.warmup_epochs))


def retraining(bench: Bench, epochs: int, schedule: str, warmup_epochs: float = 0.0) -> TrainingConfig:
    """The recipe of a recovery; `compression.recovery_lr` and `.recovery_schedule` come before what is usual."""
    compression = bench.config.compression
    usual = {"schedule": compression.recovery_schedule or schedule, "warmup_epochs": warmup_epochs}
    return bench.fixed_recipe(epochs, compression.recovery_lr).model_copy(update=usual)


def beside_the_tickets(
    bench: Bench, level: Level, tickets: Compressed, control: Compressed, start: StackedModel
) -> Pausing[Recovered]:
    """Trains controls of the tickets from `start`; and, where another level follows, the tickets that it compresses."""
    shown = yield from trained(bench, "control", control, start)
    if level.number == bench.config.compression.depth:
        return Recovered(shown, shown)
    chain = yield from trained(bench, "recovery", tickets, rewound(bench, tickets))
    return Recovered(shown, chain)


def rewound(bench: Bench, compressed: Compressed) -> StackedModel:
    """What is left, with the weights that it rewinds to."""
    if compressed.origin is None:
        raise ValueError("these units come from no dense network, so that they have nothing to rewind to")
    return ticket_start(bench).keep_units(compressed.origin)


def trained(bench: Bench, name: str, compressed: Compressed, stack: StackedModel) -> Pausing[Compressed]:
    """The stack under the masks, trained; with the epoch after which validation loss was smallest, where watched."""
    stack, recipe = masked(stack, compressed.masks), compressed.recipe or bench.fixed_recipe(1)
    training = yield from bench.fit(name, stack, bench.train_examples, recipe, compressed.masks)
    metrics, failed = compressed.metrics | early_stop(training), {**compressed.failed, **training.failed}
    return replace(compressed, stack=stack, metrics=metrics, failed=failed)
