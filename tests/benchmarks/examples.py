"""What scores of examples cost, and whether networks are those of a plain loop; in turns, one thread.

LeNet-300-100 on MNIST (where `OCKHAM_TEST_DATA` has it; else an MLP on digits), a tenth of the labels changed.

- `subset and recording`: processor time of a trial whose networks are each given 70 % of the examples and which
  records what they say of all, over that of a trial on as many examples that does neither; budget 1.10.
- `plain loop`: time of networks trained one after another in plain PyTorch on the same subsets, from the same weights
  in the same order, for the same epochs, and evaluated on the same examples, over that of the trial; and how far the
  accuracies of either lie apart, in standard errors of their difference.
- `bytes`: of examples.parquet for each network and example; of `test/right` for each network and test example.
- `million`: a million synthetic examples and four networks: rows recorded, bytes a row, most memory in GiB; and how
  many rows are refused without being asked for.
"""

import io
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from study.execution.results import example_table
from tests.engine import plain_network
from trainables.config import TrialConfig
from trainables.data.recorded import why_not
from trainables.data.trial_data import trial_data
from trainables.dotted import unflatten
from trainables.record import TESTED, Record
from trainables.seeding import generator
from trainables.trial import TrialContext, run_to_level, run_trial
from trainables.workspace import Workspace

BUDGETS = {"subset and recording over neither": 1.10, "bytes a network and example": 5.0}
# Fewer epochs than networks take to fit such labels (31): recording costs the same, however long they train.
ROUNDS, NETWORKS, EPOCHS = 2, 5, 20
_DATA = Path(os.environ.get("OCKHAM_TEST_DATA", "no-data"))
_ON_MNIST = (_DATA / "MNIST").is_dir()
_MILLION = """
import resource
from tests.benchmarks.examples import million
print(*million(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


def measure() -> dict[str, float]:
    """All figures; some minutes on a quiet machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {**_costs(), **_beside_plain_networks(), **_million()}
    finally:
        torch.set_num_threads(threads)


def trial(**fields: Any) -> TrialConfig:
    """A fixed number of epochs, so that every way does the same work."""
    base = {
        "data.label_noise": 0.1,
        "data.noise_kind": "wrong",
        "data.noise_draw": "study",
        "training.epochs": EPOCHS,
        "training.batch_size": 100,
        "training.stop_at_train_loss": None,
        "measures.names": "none",
        "compression.depth": 3,
        "compression.target_ratio": 8.0,
        "replicates": NETWORKS,
        "control": False,
    }
    if _ON_MNIST:
        base |= {"data.name": "mnist", "data.split": (5000, 500, 2000), "model.name": "lenet_300_100"}
        base |= {"training.optimizer": "adam", "training.lr": 0.002}
    given = {name.replace("__", "."): value for name, value in fields.items()}
    return TrialConfig.model_validate(unflatten({**base, **given}))


def _costs() -> dict[str, float]:
    whole = (5000, 500, 2000) if _ON_MNIST else (1000, 400, 397)
    ways = {
        "neither": trial(data__split=(round(0.7 * whole[0]), *whole[1:]), examples="never"),
        "subset": trial(data__subset=0.7, examples="never"),
        "both": trial(data__subset=0.7),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for round_ in range(ROUNDS + 1):
        for way, config in ways.items():
            begun = time.process_time()
            record = _summary(config, round_)
            if way == "both":
                content = example_table(record.examples)
            if round_:
                seconds[way].append(time.process_time() - begun)
    rows = record.examples["subset"].size
    packed = io.BytesIO()
    np.savez_compressed(packed, right=record.arrays[TESTED])
    least = {way: statistics.median(found) for way, found in seconds.items()}
    return {
        "neither, seconds of a trial": least["neither"],
        "subset over neither": least["subset"] / least["neither"],
        "subset and recording over neither": least["both"] / least["neither"],
        "bytes a network and example": len(content) / rows,
        "bytes a network and test example": len(packed.getvalue()) / record.arrays[TESTED].size,
    }


def _summary(config: TrialConfig, number: int) -> Record:
    *_, last = (record for record in run_trial(config, TrialContext(number, _DATA)) if record is not None)
    return last


def _beside_plain_networks() -> dict[str, float]:
    config = trial(data__subset=0.7, examples="never")
    course, begun = run_to_level(config, TrialContext(0, _DATA), 0), time.process_time()
    while True:
        try:
            next(course)
        except StopIteration as end:
            workspace: Workspace = end.value
            break
    ours = time.process_time() - begun
    start = workspace.initial().tensors()
    begun = time.process_time()
    found = [_plain(workspace, plain_network(start, network), network) for network in range(NETWORKS)]
    theirs = time.process_time() - begun
    rows = workspace.progress.rows
    figures = {"plain loop, time over that of the trial": theirs / ours}
    for name in ("kept", "changed", "test"):
        own = np.array([row[f"{name}_accuracy"] for row in rows])
        other = np.array([one[name] for one in found])
        error = (own - other).std(ddof=1) / NETWORKS**0.5
        figures[f"{name} accuracy of the trial's networks"] = float(own.mean())
        figures[f"… of the plain loop's ({name})"] = float(other.mean())
        figures[f"… apart, in standard errors ({name})"] = float(abs((own - other).mean()) / max(error, 1e-12))
    return figures


def _plain(workspace: Workspace, network: nn.Sequential, k: int) -> dict[str, float]:
    data, recipe = workspace.data, workspace.config.training
    assert data.subset is not None

    def seen(images: Tensor) -> Tensor:
        return (images.float().flatten(1) - data.mean) / 255

    given = data.subset[k]
    x, y = seen(data.images[0, given]), data.all_labels[k][given]
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.SGD
    more: dict[str, Any] = {} if recipe.optimizer == "adam" else {"momentum": recipe.momentum}
    optimizer = kind(network.parameters(), lr=recipe.lr, **more)
    for epoch in range(recipe.epochs):
        order = torch.randperm(len(x), generator=generator(0, workspace.key, "order", "dense", k, epoch))
        for batch in order.split(recipe.batch_size):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimizer.step()
    with torch.no_grad():
        right, kept = network(x).argmax(dim=1) == y, data.kept_mask[k]
        tested = network(seen(data.test_images[0])).argmax(dim=1) == data.test_labels
        network(seen(data.val_images[0]))
    return {
        "kept": right[kept].double().mean().item(),
        "changed": right[~kept].double().mean().item(),
        "test": tested.double().mean().item(),
    }


def million() -> tuple[int, float, int]:
    """Rows recorded of a million examples, bytes a row, and the rows of 128 networks, which are refused."""
    fields = {
        "data__name": "teacher",
        "data__split": (10**6, 1000, 1000),
        "data.teacher.features": 16,
        "data.teacher.examples": 10**6 + 2000,
    }
    small = {"model__name": "mlp", "model__width": 8, "training__epochs": 1, "training__batch_size": 1000}
    small |= {"training__optimizer": "sgd", "training__lr": 0.01, "compression__depth": 1, "data__subset": 0.7}
    found = _summary(trial(**fields, **small, replicates=4), 0)
    rows = int(found.examples["subset"].size)
    size = len(example_table(found.examples)) / rows
    many = trial(**fields, **small, replicates=128)
    data = trial_data(trial(**fields, **small, replicates=1), 0, _DATA)
    # Labels that share their memory: what is refused needs none.
    why = why_not(many, replace(data, all_labels=data.all_labels.expand(128, -1)))
    assert why.startswith(f"{128 * 10**6:,} rows"), why
    return rows, size, 128 * 10**6


def _million() -> dict[str, float]:
    """In a process of its own, whose memory is its own."""
    done = subprocess.run([sys.executable, "-c", _MILLION], check=True, capture_output=True, text=True)
    rows, size, refused, memory = map(float, done.stdout.split())
    return {
        "million examples: rows recorded": rows,
        "million examples: bytes a row": size,
        "million examples: most memory, GiB": memory,
        "million examples: rows of 128 networks, refused": refused,
    }
