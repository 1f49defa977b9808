"""The dense networks of a trial: trained, or taken from where they were kept when they were trained before."""

import hashlib
import json
import platform
import time
from collections.abc import Generator, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import torch

import trainables
from trainables.config import SHAPING
from trainables.data.recorded import why_not
from trainables.dense_store import Shelf
from trainables.looks import measures_during, measures_while_training
from trainables.measuring import Dense, measure_some, network_rows
from trainables.progress import Progress
from trainables.record import Record
from trainables.summary.dense import dense_metrics
from trainables.training.loop import Training
from trainables.workspace import Workspace

Reports = Generator[Record | None, None, None]
_WAIT_S = 0.2


def dense_epochs(workspace: Workspace, training: Training, shelf: Shelf | None) -> Reports:
    """Brings `training` to its end, reporting as it goes.

    With a shelf the networks come from there if they are there, with all that was reported while they trained; if
    another worker is at it they are waited for; else they are trained and put there.
    """
    if shelf is None:
        yield from _train(workspace, training)
        return
    try:
        while (kept := _usable(workspace, shelf.read())) is None and not shelf.is_mine_to_train():
            time.sleep(_WAIT_S)
            yield None
        # Whoever had the shelf before may have filled it just now.
        if kept is None and (kept := _usable(workspace, shelf.read())) is None:
            for record in _train(workspace, training):
                shelf.sign()
                yield record
            shelf.write(_state(workspace, training))
            return
    finally:
        shelf.close()
    training.restore(kept["training"])
    workspace.progress.reused_seconds = kept["seconds"]
    workspace.progress.measured |= _only(kept["measured"], _measured_then(workspace))
    reported = {record.step for record in workspace.progress.records if record.stage == "dense"}
    for record in kept["records"]:
        if record["step"] not in reported:
            yield workspace.progress.report(Record(**record))


def shelf_name(workspace: Workspace, data_identity: str) -> str:
    """A digest of everything that the dense networks depend on, and of what training takes note of.

    Beside the configuration and the draws that is what the data are, how many networks share a stack, the code, and
    whatever computes: versions, the kind of processor, its threads.
    """
    config, device = workspace.config, workspace.data.images.device
    cuda = device.type == "cuda"
    processor = torch.cuda.get_device_name(device) if cuda else torch.backends.cpu.get_cpu_capability()
    depends_on = {
        "draws": [config.seed, workspace.key],
        "config": {name: value for name, value in config.flat().items() if name.startswith(SHAPING)},
        "networks": [workspace.replicates, workspace.networks],
        "recorded": [workspace.course.watches, workspace.snapshot_at, workspace.traces_movement],
        "examples": why_not(workspace.config, workspace.data),
        "rates_by_epoch": workspace.rates_by_epoch,
        "data": data_identity,
        "code": _code(),
        "torch": torch.__version__,
        "one_by_one": workspace.one_by_one,
        "processor": [platform.machine(), device.type, processor, 0 if cuda else torch.get_num_threads()],
    }
    return hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:32]


def _measured_then(workspace: Workspace) -> dict[str, Any]:
    """What is measured while they train, with its fields."""
    return {name: measure.model_dump(mode="json") for name, measure in measures_during(workspace).items()}


def _usable(workspace: Workspace, kept: dict[str, Any] | None) -> dict[str, Any] | None:
    """What is kept, if all was measured while the networks trained that this trial wants to know of that time."""
    if kept is None:
        return None
    measured, wanted = kept["measures"], _measured_then(workspace)
    return kept if all(measured.get(name) == fields for name, fields in wanted.items()) else None


def _only(measured: dict[str, dict[str, Any]], wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Moment → measure → what it found, of some measures."""
    some = {moment: {name: found[name] for name in wanted if name in found} for moment, found in measured.items()}
    return {moment: found for moment, found in some.items() if found}


@cache
def _code() -> str:
    """A digest of this package's source."""
    root, digest = Path(trainables.__file__).parent, hashlib.sha256()
    for file in sorted(root.rglob("*.py")):
        digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _train(workspace: Workspace, training: Training) -> Reports:
    progress = workspace.progress
    if training.epoch == 0:
        yield from measures_while_training(workspace, training.write_back(), 0, {})
    while not training.is_finished:
        yield from workspace.run_epoch(training)
        if not training.is_finished and _report_due(progress, training.epoch):
            stack = training.write_back()
            measured = yield from measure_some(workspace, stack)
            yield from measures_while_training(workspace, stack, training.epoch, training.failed)
            rows = network_rows(workspace, 0, measured, Dense.from_training(training, measured))
            yield progress.report(
                Record("dense", training.epoch, *dense_metrics(rows, workspace.data.task.score, final=False))
            )
        progress.save_if_due()
        yield None


def _state(workspace: Workspace, training: Training) -> dict[str, Any]:
    records = [record.state() for record in workspace.progress.records if record.stage == "dense"]
    seen = {name: found for name, found in workspace.progress.measured.items() if name.startswith("epoch_")}
    seconds = workspace.progress.training_seconds
    found = {"measures": _measured_then(workspace), "measured": seen}
    return {"training": training.state(), "records": records, "seconds": seconds, **found}


def _report_due(progress: Progress, epoch: int) -> bool:
    """Epochs 1 … 10, then each that is at least 25 % more than the last reported one."""
    last = max((record.step for record in progress.records), default=0)
    return epoch <= 10 or epoch >= 1.25 * last
