"""A whole trial: train, compress level by level, measure, summarise; resumable from its checkpoints."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from trainables.checkpoints import CheckpointStore
from trainables.compression.course import new_workspace
from trainables.compression.interfaces import RECOVERIES, CompressionResult, Level, RecoveryResult
from trainables.compression.pipeline import Pipeline, pipeline_of
from trainables.compression.reach import auc_log2_ratio
from trainables.compression.recovery import recover
from trainables.compression.scratch import train_scratch
from trainables.compression.tickets import configured_tickets
from trainables.config import TrialConfig
from trainables.convolving import one_by_one
from trainables.costs import costs, with_latency
from trainables.data.identity import data_identity
from trainables.data.trial_data import trial_data
from trainables.dense_store import DenseStore
from trainables.dense_training import dense_epochs, shelf_name
from trainables.device import description, prepare
from trainables.failing import of_each, rewind_snapshot
from trainables.halving import halving
from trainables.input_files import require_inputs
from trainables.looks import keeps_dense, measures_after, with_measures
from trainables.measuring import Dense, Row, measure, network_rows, network_sizes, same_columns
from trainables.memory import freed_memory_kept, give_back
from trainables.pausing import Pausing
from trainables.precision import without_denormals
from trainables.progress import Progress
from trainables.recalibration import recalibrate
from trainables.record import Record
from trainables.recording import examples_after, measure_dense, with_examples
from trainables.seeding import Key
from trainables.stack.model import StackedModel
from trainables.summary.dense import dense_metrics
from trainables.summary.final import summarise
from trainables.summary.levels import level_metrics
from trainables.training.unchanging import unchanging
from trainables.training.watching import early_stop
from trainables.workspace import Workspace

Reports = Generator[Record | None, None, None]


@dataclass(frozen=True)
class TrialContext:
    """Where a trial runs.

    Args:
        number: Optuna's.
        cell: The dense cell of the design that it belongs to; None (before there were cells): it has draws of its own.
        dense: Where dense networks are kept that other trials may need too; None: nowhere.
        data_dir: Where data sets lie or are downloaded to.
        device: As torch names it.
        checkpoints: Where the trial saves itself; None: nowhere.
        gpu_share: Of a GPU's memory, that the trial may have.
        inputs: What the study recorded of what it reads, see `require_inputs`; {}: nothing is compared.
        rates_by_epoch: Whether schedules of the learning rate stand still within an epoch, as in earlier versions.
        one_by_one: How convolutions are computed on a GPU, of a trial that is run again; None: whichever is faster.
    """

    number: int
    data_dir: Path
    device: str = "cpu"
    checkpoints: CheckpointStore | None = None
    gpu_share: float = 1.0
    inputs: Mapping[str, str] = field(default_factory=dict)
    rates_by_epoch: bool = False
    one_by_one: bool | None = None
    cell: str | None = None
    dense: DenseStore | None = None

    @property
    def shares_cell(self) -> bool:
        """Whether the design crosses instruments inside the trial's cell: such cells are `cell 3`, not `trial 3`."""
        return (self.cell or "").startswith("cell ")

    def key(self, config: TrialConfig) -> Key:
        """Every draw depends on (config.seed, this, what it is for, replicate …).

        In a cell it says all that shapes the dense networks, so that trials which differ in how they compress have the
        same networks, and the same draws for the same purpose.
        """
        return self.number if self.cell is None else f"{self.cell}/{config.dense_fingerprint()}"


def run_trial(config: TrialConfig, context: TrialContext) -> Iterator[Record | None]:
    """Runs a trial, or what is left of it after its last checkpoint.

    Yields:
        Records as they come (those before the checkpoint once more), and None at places where the trial may be
        interrupted: stop iterating at any of them, and a new call goes on from the last checkpoint, bit for bit (on the
        CPU) as if nothing had happened.
    Raises:
        TrialDiverged: A loss left the finite numbers.
        DataUnavailable: The data set is neither there nor to be had.
        ValueError: The configuration asks for more data than there are.
        RuntimeError: Memory does not even hold one network's activations beside the weights of all.
    """
    with freed_memory_kept(), without_denormals():
        yield from halving(config.networks, lambda together: _stages(config, context, together))


def run_to_level(config: TrialConfig, context: TrialContext, level: int) -> Generator[Record | None, None, Workspace]:
    """Runs a trial up to a level without its scratch arms, which change nothing of its networks.

    Returns:
        The workspace, whose `networks_here()` are the networks of that level: on the same CPU, with the same versions
        and number of threads, those of the trial bit for bit.
    """

    def stages(together: int) -> Generator[Record | None, None, Workspace]:
        workspace = _workspace(config, context, together)
        workspace.scratch_arms = False
        yield from _levels(workspace, level)
        return workspace

    with freed_memory_kept(), without_denormals():
        return (yield from halving(config.networks, stages))


def _stages(config: TrialConfig, context: TrialContext, together: int) -> Reports:
    workspace = _workspace(config, context, together)
    yield from list(workspace.progress.records)
    yield from _levels(workspace, config.compression.depth)
    yield _summary(workspace)


def _workspace(config: TrialConfig, context: TrialContext, together: int) -> Workspace:
    device = torch.device(context.device)
    prepare(device, context.gpu_share)
    require_inputs(config, context.data_dir, context.inputs)
    key = context.key(config)
    data = trial_data(config, key, context.data_dir, context.device)
    workspace = new_workspace(config, key, data, Progress(config, context.number, context.checkpoints))
    workspace.rates_by_epoch, workspace.shares_cell = context.rates_by_epoch, context.shares_cell
    workspace.together, progress = together, workspace.progress
    progress.computes_on(description(device))
    chosen = context.one_by_one if progress.one_by_one is None else progress.one_by_one
    workspace.one_by_one = progress.one_by_one = one_by_one(workspace, chosen)
    if context.dense is not None:
        workspace.shelf = context.dense.shelf(shelf_name(workspace, data_identity(config.data, context.data_dir)))
    configured_tickets(workspace)  # says at once if a ticket does not fit
    _ = workspace.snapshot_at  # or a step to rewind to
    return workspace


def _levels(workspace: Workspace, last: int) -> Reports:
    if workspace.progress.level < 0:
        yield from _train_dense(workspace)
    while workspace.progress.level < last:
        yield from _compress_once(workspace)


def _train_dense(workspace: Workspace) -> Reports:
    stack, progress = workspace.initial(), workspace.progress
    recipe = workspace.config.training
    training = workspace.training("dense", stack, workspace.train_examples, recipe, unchanging(stack, recipe.trains))
    yield from dense_epochs(workspace, training, workspace.shelf)
    workspace.settle(training, workspace.initial)
    workspace.movement, workspace.learning = training.movement, training.learning
    measured = yield from measure_dense(workspace, stack)
    dense = Dense.from_training(training, measured)
    made = CompressionResult(stack, _all_units(stack), failed=dense.failed)
    stopped = of_each(early_stop(training), dense.failed)
    found = yield from measures_after(workspace, made, 0, dense.failed)
    sizes = network_sizes(workspace, CompressionResult(stack, None))
    rows = network_rows(workspace, 0, measured, dense, extra=stopped | sizes | found)
    trained = Record("dense", training.epoch, *dense_metrics(rows, workspace.data.task.score, final=True))
    metrics, notes = level_metrics(rows, rows, stopped, workspace.data.task)
    level = yield from with_latency(workspace, stack, Record("level", 0, metrics, notes))
    if _has_scratch_arm(workspace):
        rows += network_rows(workspace, 0, measured, dense, scratch=True, extra=stopped | sizes)
    yield from examples_after(workspace, stack, 0, dense.failed, measured)
    _finish_level(workspace, 0, rows, RecoveryResult(made, made), dense, rewind=rewind_snapshot(workspace, training))
    yield from [progress.report(trained), progress.report(level)]
    progress.save_if_due()


def _compress_once(workspace: Workspace) -> Reports:
    progress = workspace.progress
    level, dense = _next_level(workspace)
    workspace.failures = {}
    made = yield from _pipeline(workspace).make(workspace, level)
    made = replace(made, failed={**progress.kept_values.get("failed", {}), **workspace.failures, **made.failed})
    made = yield from recalibrate(workspace, made)
    recovered = yield from recover(workspace, level, made)
    compressed = yield from _rewritten(workspace, level, recovered.result)
    measured = yield from measure(workspace, compressed.stack)
    epochs = compressed.epochs or None
    failed = recovered.result.failed
    extra = of_each(compressed.metrics, failed)
    extra |= yield from measures_after(workspace, compressed, level.number, failed)
    yield from examples_after(workspace, compressed.stack, level.number, failed, measured)
    sizes = network_sizes(workspace, compressed)
    rows = network_rows(workspace, level.number, measured, dense, epochs=epochs, extra=extra | sizes, failed=failed)
    if _has_scratch_arm(workspace):
        training = yield from train_scratch(workspace, level, recovered.result)
        fresh = replace(recovered.result, stack=training.model, encoding=None, metrics={})
        if recovered.result.scratch_widths is not None:
            fresh = CompressionResult(training.model, None)
        fresh = yield from _rewritten(workspace, level, fresh)
        measured = yield from measure(workspace, fresh.stack)
        epochs = epochs if workspace.config.compression.scratch_budget == "recovery" else training.epoch
        sizes = network_sizes(workspace, fresh) | of_each(early_stop(training), training.failed)
        rows += network_rows(
            workspace, level.number, measured, dense, scratch=True, epochs=epochs, extra=sizes, failed=training.failed
        )
    start = [row for row in progress.rows if row["level"] == 0 and not row["arm"].startswith("scratch_")]
    metrics, notes = level_metrics(rows, start, extra, workspace.data.task, _pipeline(workspace).undefined_reasons)
    record = yield from with_latency(workspace, compressed.stack, Record("level", level.number, metrics, notes))
    recovered = replace(recovered, result=compressed)
    rewind = progress.kept_values["rewind"]
    _finish_level(workspace, level.number, rows, recovered, dense, rewind=rewind, tickets=made.masks)
    yield progress.report(record)
    progress.save_if_due()


def _next_level(workspace: Workspace) -> tuple[Level, Dense]:
    """What comes next, from what the last level left (in this process or in a checkpoint)."""
    left, device = workspace.progress.kept_values, workspace.data.images.device
    number = workspace.progress.level + 1
    previous = workspace.template().with_tensors({name: tensor.to(device) for name, tensor in left["stack"].items()})
    origin = None if left["origin"] is None else [units.to(device) for units in left["origin"]]
    masks = None if left["masks"] is None else {name: mask.to(device) for name, mask in left["masks"].items()}
    level = Level(number, workspace.level_widths[number], previous, origin, left["epochs"], masks)
    return level, Dense(**left["dense"] | {"val_predictions": left["dense"]["val_predictions"].to(device)})


def _finish_level(
    workspace: Workspace,
    number: int,
    rows: list[Row],
    recovered: RecoveryResult,
    dense: Dense,
    *,
    rewind: dict[str, Tensor] | None,
    tickets: dict[str, Tensor] | None = None,
) -> None:
    """Closes a level.

    Args:
        rewind: The weights that networks rewind to; None: those before training.
        tickets: The masks that the method made, before a recovery moved them.
    """
    chain, shown = recovered.next_start, recovered.result
    workspace.compressed = None if workspace.scratch_arms else shown
    left = {
        "stack": chain.stack.tensors(),
        "origin": chain.origin,
        "epochs": chain.epochs,
        "masks": chain.masks,
        "failed": dict(chain.failed),
        "tickets": tickets,
        "shown": None if shown is chain else shown.stack.tensors(),
        "dense": dense.state(),
        "rewind": rewind,
        "movement": workspace.movement,
    }
    if keeps_dense(workspace):
        left["trained"] = left["stack"] if number == 0 else workspace.progress.kept_values["trained"]
    workspace.progress.finish_level(number, rows, left)
    give_back()


def _summary(workspace: Workspace) -> Record:
    rows = workspace.progress.rows
    limit = auc_log2_ratio(workspace.config, workspace.input_shape, workspace.data.num_classes)
    metrics, notes = summarise(rows, workspace.config, limit)
    took, said = costs(workspace)
    record = Record("summary", 0, metrics | took, notes | said, same_columns(rows))
    return with_examples(workspace, with_measures(workspace, record))


def _pipeline(workspace: Workspace) -> Pipeline:
    return pipeline_of(workspace.config.compression)


def _rewritten(workspace: Workspace, level: Level, made: CompressionResult) -> Pausing[CompressionResult]:
    """The networks with the weights that the level's description gives them; themselves where nothing rewrites them."""
    written = yield from _pipeline(workspace).rewrite(workspace, level.number, made)
    if written is made:
        return made
    return (yield from recalibrate(workspace, written, rewritten=True))


def _has_scratch_arm(workspace: Workspace) -> bool:
    recovery = RECOVERIES.get(workspace.config.compression.recovery)
    return workspace.scratch_arms and (_pipeline(workspace).trains or recovery.trains)


def _all_units(stack: StackedModel) -> list[Tensor]:
    """For each group [K, units]: every unit, as its own origin."""
    device = next(stack.parameters()).device
    return [torch.arange(width, device=device).repeat(stack.networks, 1) for width in stack.widths]
