"""What a trial took, and what computed it: the `cost/` metrics and notes."""

from dataclasses import replace

from trainables.again import CONVOLUTIONS, DEVICE, GROUPED, ONE_BY_ONE
from trainables.device import peak_bytes
from trainables.export.latency import QUICK_IMAGES, quick_latency
from trainables.pausing import Pausing
from trainables.record import LATENCY, Record
from trainables.stack.model import StackedModel
from trainables.workspace import Workspace


def costs(workspace: Workspace) -> tuple[dict[str, float], dict[str, str]]:
    """What the whole trial cost: metrics and notes."""
    progress = workspace.progress
    metrics = {"cost/seconds": progress.seconds, "cost/peak_bytes": peak_bytes(workspace.data.images.device)}
    notes = {DEVICE: ", then ".join(progress.devices)}
    if workspace.one_by_one is not None:
        notes[CONVOLUTIONS] = ONE_BY_ONE if workspace.one_by_one else GROUPED
    if progress.training_seconds > 0:
        metrics["cost/samples_per_second"] = progress.samples / progress.training_seconds
    if progress.reused_seconds > 0:
        metrics["cost/reused_seconds"] = progress.reused_seconds
        notes["cost/reused"] = "dense networks that had been trained before"
    if workspace.together < workspace.networks:
        notes["cost/memory"] = f"ran out with {workspace.networks} networks together; went on with {workspace.together}"
    return metrics, notes


def with_latency(workspace: Workspace, stack: StackedModel, record: Record) -> Pausing[Record]:
    """With `cost/latency_ms` of the first network, see `quick_latency`; beside a GPU with the reason why not."""
    if workspace.data.images.is_cuda:
        why = {f"undefined/{LATENCY}": "networks are timed on the CPU, and a GPU would have to wait for it"}
        return replace(record, notes=record.notes | why)
    inputs = workspace.val_inputs.select([0]).slice(0, min(QUICK_IMAGES, workspace.val_inputs.count))[0]
    seconds = yield from quick_latency(stack.select([0]), inputs)
    return replace(record, metrics=record.metrics | {LATENCY: 1000 * seconds})
