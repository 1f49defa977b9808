"""What follows each compression step: nothing, or training that lets the smaller networks recover."""

from dataclasses import replace

from trainables.compression.interfaces import RECOVERIES, CompressionResult, Level, RecoveryResult
from trainables.compression.masks import apply_masks
from trainables.compression.tickets import ticket_start
from trainables.config import TrainingConfig
from trainables.pausing import Pausing
from trainables.stack.model import StackedModel
from trainables.training.watching import early_stop
from trainables.workspace import Workspace


def epochs_at(total: int, depth: int, level: int) -> int:
    """Epochs of level 1 … depth, out of `total` over all; the first levels get what does not divide evenly."""
    share, rest = divmod(total, depth)
    return share + (level <= rest)


def level_epochs(workspace: Workspace, level: Level) -> int:
    """Epochs of the recovery that are the level's."""
    compression = workspace.config.compression
    return epochs_at(compression.recovery_epochs, compression.depth, level.number)


def recover(workspace: Workspace, level: Level, compressed: CompressionResult) -> Pausing[RecoveryResult]:
    """The networks after the configured recovery; trains on the labels that each was given, without a stop rule.

    With `compression.ticket` masks and weights come from a file instead, found on other data or with another optimizer;
    `shuffled` and the scratch arm are then its controls. What is masked stays 0.
    """
    compression = workspace.config.compression
    entry = RECOVERIES.get(compression.recovery).model_validate(compression.options_of("recovery"))
    return (yield from entry.recover(workspace, level, compressed))


def as_dense(workspace: Workspace, level: Level, compressed: CompressionResult) -> CompressionResult:
    """To be trained as the dense networks were, with the level's epochs; optimizer and schedule start anew."""
    epochs, dense = level_epochs(workspace, level), workspace.config.training
    return replace(compressed, epochs=epochs, recipe=retraining(workspace, epochs, dense.schedule, dense.warmup_epochs))


def retraining(workspace: Workspace, epochs: int, schedule: str, warmup_epochs: float = 0.0) -> TrainingConfig:
    """The recipe of a recovery; `compression.recovery_lr` and `.recovery_schedule` come before what is usual."""
    compression = workspace.config.compression
    usual = {"schedule": compression.recovery_schedule or schedule, "warmup_epochs": warmup_epochs}
    return workspace.fixed_recipe(epochs, compression.recovery_lr).model_copy(update=usual)


def beside_the_tickets(
    workspace: Workspace, level: Level, tickets: CompressionResult, control: CompressionResult, start: StackedModel
) -> Pausing[RecoveryResult]:
    """Trains controls of the tickets from `start`; and, where another level follows, the tickets that it compresses."""
    shown = yield from retrain(workspace, "control", control, start)
    if level.number == workspace.config.compression.depth:
        return RecoveryResult(shown, shown)
    chain = yield from retrain(workspace, "recovery", tickets, rewind_weights(workspace, tickets))
    return RecoveryResult(shown, chain)


def rewind_weights(workspace: Workspace, compressed: CompressionResult) -> StackedModel:
    """What is left, with the weights that it rewinds to."""
    if compressed.origin is None:
        raise ValueError("these units come from no dense network, so that they have nothing to rewind to")
    return ticket_start(workspace).keep_units(compressed.origin)


def retrain(
    workspace: Workspace, name: str, compressed: CompressionResult, stack: StackedModel
) -> Pausing[CompressionResult]:
    """The stack under the masks, trained; with the epoch after which validation loss was smallest, where watched."""
    stack, recipe = apply_masks(stack, compressed.masks), compressed.recipe or workspace.fixed_recipe(1)
    training = yield from workspace.fit(name, stack, workspace.train_examples, recipe, compressed.masks)
    metrics, failed = compressed.metrics | early_stop(training), {**compressed.failed, **training.failed}
    return replace(compressed, stack=stack, metrics=metrics, failed=failed)
