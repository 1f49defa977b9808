"""Worker side: one attempt of a trial, wherever it runs."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from study.crash_points import crash_if_asked
from study.execution.executor import Assignment, Job, TrialFunction

if TYPE_CHECKING:
    from trainables.record import Record


def trial_function(job: Job) -> TrialFunction:
    """What a trial of the job does; imported, which may take seconds."""
    module, _, name = job.trial.partition(":")
    trial: TrialFunction = getattr(importlib.import_module(module), name)
    return trial


def begin(job: Job, assignment: Assignment) -> "Iterator[Record | None]":
    """The trial from its last checkpoint on, or from its beginning: records, and None at other boundaries."""
    from trainables.checkpoints import CheckpointStore
    from trainables.config import TrialConfig
    from trainables.dense_store import DENSE, DenseStore
    from trainables.storage import folder_at
    from trainables.trial import TrialContext

    trial = trial_function(job)
    place, below = job.checkpoints
    checkpoints = folder_at(place) / below / f"{assignment.number:04d}" / "checkpoints"
    context = TrialContext(
        number=assignment.number,
        data_dir=Path(job.data_dir),
        device="cuda" if job.gpus else "cpu",
        gpu_share=min(1.0, job.gpus or 1.0),
        inputs=job.inputs,
        checkpoints=CheckpointStore(checkpoints, assignment.attempt, fence=job.fence, on_moment=crash_if_asked),
        cell=assignment.cell,
        rates_by_epoch=assignment.cell is None,  # a study from before there were cells
        dense=DenseStore(folder_at(place) / DENSE, job.dense_cache) if job.dense_cache else None,
    )
    return trial(TrialConfig.model_validate_json(assignment.config), context)
