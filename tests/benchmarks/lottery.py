"""Iterative magnitude pruning of LeNet-300-100 on MNIST: network-samples a second, beside open_lth's on the same cores.

    python -m tests.benchmarks.lottery --data-dir DIR --open-lth DIR

Both train the dense network and a ticket (20 % of all weights pruned by magnitude, back to the initial weights), an
epoch each, evaluated at its end, from He normal weights: `sgd` with open_lth's own settings (rate 0.1, batches of 128),
`adam` with those of the paper (rate 1.2e-3, batches of 60). Here a stack on each core, one thread each, as a study has
them; there one network at a time, with all cores and its DataLoader. Their time is taken from the start of their
`main`, ours from the start of the trials; imports do not count.

- `samples/s`: training examples times networks a second of the whole trial, which evaluates all networks on all
  examples at both levels (a third of it; open_lth evaluates on the test set at the end). `of training alone`: without
  that. Budget: at least 10 times open_lth's.
- `test accuracy`: of the ticket, to see that both did the same (theirs of one network). Under `sgd` ours is behind:
  inputs here are not divided by their deviation (see `trainables.training.inputs`), so one rate is not the same step.

DIR of `--open-lth` is a checkout of github.com/facebookresearch/open_lth (2ce732f ran here); nothing of it is kept.
`make bench` runs the part without it, where MNIST lies in $OCKHAM_DATA_DIR.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.__main__ import keep

NETWORKS = 8
PROTOCOLS: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": "sgd", "lr": 0.1, "momentum": 0.0, "batch_size": 128},
    "adam": {"optimizer": "adam", "lr": 0.0012, "batch_size": 60},
}
TICKET = {
    "criterion": "magnitude_l1",
    "granularity": "weight",
    "scope": "global",
    "rate": 0.2,
    "depth": 1,
    "recovery": "rewind",
    "recovery_epochs": 1,
}
# What their code of 2021 uses of torch and numpy and is no longer there; the first is only for many GPUs.
_THEIRS = """
import sys, time
import numpy, torch
torch.nn.parallel.DistributedDataParallel = type("DistributedDataParallel", (torch.nn.Module,), {})
numpy.product = numpy.prod
sys.path.insert(0, sys.argv.pop(1))
import open_lth
start = time.perf_counter()
open_lth.main()
print("seconds", time.perf_counter() - start)
"""


def measure(data_dir: Path | None = None, open_lth: Path | None = None, networks: int = NETWORKS) -> dict[str, float]:
    """All figures; none where there is no MNIST."""
    folder = data_dir or Path(os.environ.get("OCKHAM_DATA_DIR", "studies/data"))
    if not (folder / "MNIST" / "raw").is_dir():
        print(f"  no MNIST in {folder}: set OCKHAM_DATA_DIR")
        return {}
    figures: dict[str, float] = {}
    for name, recipe in PROTOCOLS.items():
        found = _ours(folder, networks, recipe)
        if open_lth is not None:
            found |= _theirs(folder, open_lth, recipe)
            for what in ("samples/s", "samples/s of training alone"):
                found[f"{what} / open_lth's"] = found[what] / found["open_lth samples/s"]
        figures |= {f"{name}: {what}": value for what, value in found.items()}
    return figures


def _ours(folder: Path, networks: int, recipe: Mapping[str, Any]) -> dict[str, float]:
    """A stack on each core, all at once."""
    cores = len(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(cores), context.Queue()
    workers = [
        context.Process(target=_trial, args=(number, folder, (networks, dict(recipe)), ready, results))
        for number in range(cores)
    ]
    for worker in workers:
        worker.start()
    found = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    seconds = max(end for _, end, *_ in found) - min(start for start, *_ in found)
    return {
        f"stacks of {networks}, a thread each": float(cores),
        "samples/s": sum(samples for _, _, samples, *_ in found) / seconds,
        "samples/s of training alone": sum(samples / trained for _, _, samples, trained, _ in found),
        "test accuracy of tickets": sum(accuracy for *_, accuracy in found) / cores,
    }


def _trial(number: int, folder: Path, asked: tuple[int, dict[str, Any]], ready: Any, results: Any) -> None:
    """A trial of so many networks; puts start, end, samples, seconds of training, mean test accuracy of its tickets."""
    import torch

    from trainables.config import TrialConfig
    from trainables.pausing import finish
    from trainables.trial import TrialContext, run_to_level

    torch.set_num_threads(1)
    networks, recipe = asked
    config = TrialConfig.model_validate(
        {
            "data": {"name": "mnist", "split": [58000, 2000, 10000]},
            "model": {"name": "lenet_300_100"},
            "training": {**recipe, "epochs": 1, "stop_at_train_loss": None},
            "compression": TICKET,
            "replicates": networks,
        }
    )
    ready.wait()
    start = time.monotonic()
    workspace = finish(run_to_level(config, TrialContext(number, folder), 1))
    end = time.monotonic()
    tickets = [row["test_accuracy"] for row in workspace.progress.rows if row["level"] == 1]
    progress = workspace.progress
    results.put((start, end, progress.samples, progress.training_seconds, sum(tickets) / len(tickets)))


def _theirs(folder: Path, open_lth: Path, recipe: Mapping[str, Any]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        data = Path(home) / "open_lth_datasets" / "mnist"
        data.mkdir(parents=True)
        (data / "MNIST").symlink_to((folder / "MNIST").resolve())
        asked = ["--default_hparams=mnist_lenet_300_100", "--levels=1", "--training_steps=1ep"]
        asked += [f"--optimizer_name={recipe['optimizer']}", f"--lr={recipe['lr']}"]
        asked += [f"--batch_size={recipe['batch_size']}", "--evaluate_only_at_end", "--quiet"]
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _THEIRS, str(open_lth.resolve()), "lottery", *asked],
            cwd=home,
            env={k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"} | {"HOME": home},
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise RuntimeError(f"open_lth failed: {ran.stderr[-2000:]}")
        seconds = float(ran.stdout.rpartition("seconds")[2])
        (log,) = Path(home).glob("open_lth_data/*/replicate_1/level_1/main/logger")
        accuracy = [line.split(",")[2] for line in log.read_text().splitlines() if line.startswith("test_accuracy")]
    return {"open_lth samples/s": 2 * 60000 / seconds, "open_lth test accuracy of the ticket": float(accuracy[-1])}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data-dir", type=Path, help="where MNIST lies")
    parser.add_argument("--open-lth", type=Path, help="a checkout of open_lth to compare with")
    parser.add_argument("--networks", type=int, default=NETWORKS, help="of a stack (default: %(default)s)")
    given = parser.parse_args()
    figures = measure(given.data_dir, given.open_lth, given.networks)
    for name, value in figures.items():
        print(f"  {name:<62}{value:>12,.3f}")
    keep("lottery", figures)
