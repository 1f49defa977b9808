"""The first losses of a fixed trial: a change of seeding, initial weights, batch order or arithmetic shows here."""

from pathlib import Path

import pytest

from tests.engine import config
from trainables.compression.course import new_workspace
from trainables.data.trial_data import trial_data
from trainables.pausing import finish
from trainables.progress import Progress

# [step][replicate, control], in nats.
GOLDEN: list[list[float]] = [
    [2.42474, 2.4413],
    [2.39948, 2.40634],
    [2.35833, 2.34854],
    [2.31999, 2.28836],
    [2.29724, 2.24286],
    [2.28255, 2.20502],
    [2.26875, 2.17124],
    [2.25632, 2.13979],
    [2.24567, 2.11156],
    [2.23605, 2.08372],
    [2.2273, 2.05629],
    [2.21862, 2.02832],
    [2.21056, 1.99922],
    [2.20276, 1.96696],
    [2.19523, 1.93247],
    [2.18784, 1.89608],
    [2.1803, 1.85937],
    [2.17256, 1.82312],
    [2.16442, 1.79097],
    [2.15572, 1.76034],
]


def test_first_twenty_losses() -> None:
    """Full batches, so that each epoch is a step; replicate 0 and its control. Rounding differs between machines."""
    trial = config(training__batch_size=150, training__epochs=20, replicates=1)
    workspace = new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))
    training = workspace.training("dense", workspace.initial(), workspace.train_examples, trial.training)
    losses = []
    for _ in range(20):
        finish(training.run_epoch())
        losses.append(list(training.running_losses))
    for found, expected in zip(losses, GOLDEN, strict=True):
        assert found == pytest.approx(expected, rel=1e-3)
