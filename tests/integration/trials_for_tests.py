"""Trials without networks: generators with `run_trial`'s signature that report, sleep, fail or die on purpose."""

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from trainables.again import DEVICE
from trainables.config import TrialConfig
from trainables.record import Record
from trainables.storage import LocalFolder
from trainables.trial import TrialContext

LEVELS = 3
# So long do a level and an epoch last where something is to be caught in the middle of them.
LEVEL_S, EPOCH_S = 0.3, 0.06


def quick(config: TrialConfig, context: TrialContext) -> Iterator[Record | None]:
    """Reports made-up numbers that depend on the configuration and the number only."""
    yield from _records(config, context.number)


def nap(config: TrialConfig, context: TrialContext) -> Iterator[Record | None]:
    """Sleeps a second in ten pieces."""
    for _ in range(10):
        time.sleep(0.1)
        yield None
    yield from _records(config, context.number)


def long_nap(config: TrialConfig, context: TrialContext) -> Iterator[Record | None]:
    """Sleeps for a minute."""
    for _ in range(600):
        time.sleep(0.1)
        yield None
    yield from _records(config, context.number)


def some_fail(config: TrialConfig, context: TrialContext) -> Iterator[Record | None]:
    """Trial 1 raises after its dense record, trial 2 kills its worker whenever it runs, trial 3 does so once.

    The GPU of trial 4 fails once. Trial 5 has another GPU than all others.
    """
    records = _records(config, context.number)
    yield next(records)
    if context.number == 1:
        print("about to fail")
        raise ValueError("loss is nan at epoch 3")
    if context.number == 2:
        os._exit(7)
    if context.number == 3 and not _marked(context, "died-once"):
        os.kill(os.getpid(), signal.SIGKILL)
    if context.number == 4 and not _marked(context, f"failed-in-{os.getpid()}") and _times(context) == 1:
        raise RuntimeError("CUDA error: uncorrectable ECC error encountered")
    computed = {DEVICE: "an H100" if context.number == 5 else "an A100"}
    for record in records:
        yield replace(record, notes=record.notes | computed) if record.stage == "summary" else record


def fails_once(config: TrialConfig, context: TrialContext) -> Iterator[Record | None]:
    """Trials 1 and 2 raise the first time that they run."""
    records = _records(config, context.number)
    yield next(records)
    if context.number in (1, 2) and not _marked(context, "failed-once"):
        raise MemoryError("no memory today")
    yield from records


def slow_levels(config: TrialConfig, context: TrialContext) -> Iterator[Record | None]:
    """Takes its time for a level, a checkpoint after each; resumes after the last level that it saved.

    Each level appends to `work.txt`, so that a test can count what was done twice.
    """
    store = context.checkpoints
    if store is None:
        raise ValueError("needs checkpoints")
    state = store.latest() or {"done": 0}
    for step, record in enumerate(_records(config, context.number)):
        if step >= state["done"]:
            time.sleep(LEVEL_S)
            with (_own_folder(context) / "work.txt").open("a", encoding="utf-8") as file:
                file.write(json.dumps([step, os.getpid()]) + "\n")
            store.save({"done": step + 1})
        yield record


def gated_levels(config: TrialConfig, context: TrialContext) -> Iterator[Record | None]:
    """As `slow_levels`, but trial n goes beyond level 1 only once `<home>/data/open-<n>` is there."""
    for record in slow_levels(config, context):
        yield record
        while record is not None and (record.stage, record.step) == ("level", 1):
            if (context.data_dir / f"open-{context.number}").exists():
                break
            time.sleep(0.05)
            yield None


def learning(config: TrialConfig, context: TrialContext) -> Iterator[Record | None]:
    """Reports after each of its epochs, slowly, with a checkpoint after each; how well it learns depends on its width.

    Each epoch leaves a line in `<home>/data/work-<number>.txt`, so that a test can count them.
    """
    store = context.checkpoints
    if store is None:
        raise ValueError("needs checkpoints")
    context.data_dir.mkdir(parents=True, exist_ok=True)
    done = (store.latest() or {"done": 0})["done"]
    for epoch in range(1, config.training.epochs + 1):
        if epoch > done:
            time.sleep(EPOCH_S)
            with (context.data_dir / f"work-{context.number}.txt").open("a", encoding="utf-8") as file:
                file.write(f"{epoch}\n")
            store.save({"done": epoch})
        notes = {"train/stop_reason": "epochs x5"} if epoch == config.training.epochs else {}
        accuracy = config.model.width / 100 * (1 - 0.8**epoch)
        yield Record("dense", epoch, {"train/accuracy": 1.0, "val/accuracy": accuracy}, notes)
    yield from list(_records(config, context.number))[1:]


def _records(config: TrialConfig, number: int) -> Iterator[Record]:
    width, noise = config.model.width, config.data.label_noise
    dense = {"train/accuracy": 1 - noise / 1000, "val/accuracy": 0.9 - noise / 2 + width / 1e5}
    yield Record("dense", 5, dense, {"train/stop_reason": "train_loss x5"})
    for level in range(LEVELS + 1):
        share = 1 - noise * level / LEVELS
        yield Record("level", level, {"level/ratio": 2.0**level, "level/train_accuracy": share})
    rows = tuple(
        _network(k, arm, level, noise)
        for arm in ("replicate", "control")
        for k in range(2)
        for level in range(LEVELS + 1)
    )
    summary = {"compressibility/auc": 1 - noise / 2 + number / 1e4, "gap/accuracy": noise}
    summary |= {"contrast/auc": noise / 2, "cost/seconds": time.time()}
    yield Record("summary", 0, summary, {"undefined/bound/error": "made up"}, rows)


def _network(replicate: int, arm: str, level: int, noise: float) -> dict[str, float | int | str | bool | None]:
    """A row of networks.parquet, all columns."""
    accuracy = 1 - noise * level / LEVELS if arm == "replicate" else 1.0
    same = (
        "train_accuracy",
        "kept_accuracy",
        "changed_accuracy",
        "recovered_accuracy",
        "val_accuracy",
        "test_accuracy",
    )
    row: dict[str, float | int | str | bool | None] = {"network": replicate, "arm": arm, "level": level}
    row |= {"ratio": 2.0**level, "parameters": 4096.0 / 2**level, "flops": 4096.0 / 2**level}
    row |= dict.fromkeys(same, accuracy) | dict.fromkeys(("train_loss", "val_loss", "test_loss"), 0.5)
    row |= {"fidelity": 1.0, "kappa": 1.0, "chance": 0.1, "interpolated": True, "fitted": True, "epochs": 5}
    return row | {"stop_reason": "train_loss", "changed_share": 0.9 * noise, "widths": "8+8"}


def _marked(context: TrialContext, name: str) -> bool:
    """Whether this was called before for the trial, in any process."""
    folder = _own_folder(context)
    try:
        (folder / name).touch(exist_ok=False)
    except FileExistsError:
        return True
    return False


def _times(context: TrialContext) -> int:
    """In how many processes the trial has been."""
    return len(list(_own_folder(context).glob("failed-in-*")))


def _own_folder(context: TrialContext) -> Path:
    """A directory of this trial's on this machine."""
    checkpoints = context.checkpoints.folder if context.checkpoints else None
    shared = context.data_dir / "trials" / f"{context.number:04d}"
    folder = checkpoints.path.parent if isinstance(checkpoints, LocalFolder) else shared
    folder.mkdir(parents=True, exist_ok=True)
    return folder
