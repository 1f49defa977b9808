"""`python -m tests.gpu.counts`: what training and levels ask of a GPU, counted on the device that counts.

- `kernels a step`: of an epoch of 20 steps, once they are replayed, a twentieth.
- `of them books`: those that are not the step's own (forward, backward, update).
- `launches an epoch`: of 20 steps; a graph is one.
- `waits an epoch`: how often the host waits for the device: once, at its end.
- `kernels a level`, `waits a level`: of a whole trial's second level, its record included.

Widths are small, which changes none of these; networks, batches and shapes are those of `tests.gpu.figures`.
"""

from dataclasses import replace
from pathlib import Path
from unittest import mock

import torch

from tests.benchmarks.__main__ import table
from tests.counting_device import CountingDevice, Counts, counting_device
from tests.engine import config
from tests.gpu.figures import CASES, CUDA, epochs
from trainables.config import TrainingConfig
from trainables.tasks.classification import Classification
from trainables.training.updates import Updates
from trainables.trial import TrialContext, run_trial

WIDTHS = {"mlp": 16, "lenet_300_100": 30, "conv2": 2, "resnet20": 2}
_STEPS = 20


def measure(only: str | None = None) -> dict[str, float]:
    """All figures, or those of one case."""
    figures: dict[str, float] = {}
    for name in CASES if only is None else [only]:
        with counting_device() as device:
            figures |= {f"{name}: {figure}": value for figure, value in _training(device, name).items()}
        with counting_device() as device:
            level = _level(device, name)
        figures |= {f"{name}: kernels a level": level.total, f"{name}: waits a level": level.waits}
    return figures


def _training(device: CountingDevice, name: str) -> dict[str, float]:
    epoch = _epoch(device, name)
    return {
        "kernels a step": epoch.total / _STEPS,
        "of them books": epoch.total / _STEPS - _step(device, name),
        "launches an epoch": epoch.launches,
        "waits an epoch": epoch.waits,
    }


def _epoch(device: CountingDevice, name: str) -> Counts:
    case, networks, _ = CASES[name]
    case = replace(case, width=WIDTHS[case.model])
    run = epochs(case, networks, _STEPS * case.batch)
    for _ in range(2):
        run()
    with device.counting() as counted:
        run()
    return counted


def _step(device: CountingDevice, name: str) -> int:
    """A step itself."""
    case, networks, _ = CASES[name]
    case = replace(case, width=WIDTHS[case.model])
    model, images, labels = case.stack(networks).to(CUDA).train(), torch.randn(networks, 4, *case.shape), [0, 1, 2, 3]
    updates = Updates(TrainingConfig(), model, {})
    x, y, rate = images.to(CUDA), torch.tensor([labels] * networks).to(CUDA), torch.tensor(0.01).to(CUDA)
    with device.counting() as counted:
        updates.step(model, x, y, Classification().loss(), rate)
    return counted.total


def _level(device: CountingDevice, name: str) -> Counts:
    case, networks, _ = CASES[name]
    trial = config(
        model__name=case.model,
        model__width=WIDTHS[case.model] * 4,
        data__split=(40, 20, 20),
        training__epochs=1,
        compression__depth=2,
        replicates=networks // 2,
    )
    last = device.counts.copy()
    # A clock chooses how convolutions are computed; on a busy machine it may choose the other way, of more kernels.
    with mock.patch("trainables.convolving.seconds", return_value=1.0):
        for record in run_trial(trial, TrialContext(0, Path("unused"), "cuda")):
            if record is not None:
                if (record.stage, record.step) == ("level", 2):
                    return device.counts.since(last)
                last = device.counts.copy()
    raise RuntimeError("the trial has no second level")


if __name__ == "__main__":
    print(table(measure()))
