"""Memory of each further concurrent MNIST trial, beyond a worker process that has imported torch.

Two trials of an MLP 784-512-512-10 with 5 replicates and their controls run at once in processes of their own, on files
of MNIST's size and format, and save checkpoints whenever they may. Private means pages that belong to no file and to no
other process.

- `private MB`: most that one trial had beyond what its process had before it started. Budget: 100.
- `shared MB`: of its pages, those of mapped data.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

_TRIAL = """
import sys, threading, time
from pathlib import Path
import torch
torch.set_num_threads(1)
import torchvision  # noqa: F401
from trainables.checkpoints import CheckpointStore
from trainables.config import TrialConfig
from trainables.trial import TrialContext, run_trial

def of(what):
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024

torch.mm(torch.randn(64, 64), torch.randn(64, 64)).sum()
torch.randn(2, 2, requires_grad=True).sum().backward()
before, most, running = of("Anonymous:"), 0.0, True
files = of("Rss:") - before

def watch():
    global most
    while running:
        most = max(most, of("Anonymous:"))
        time.sleep(0.02)

watching = threading.Thread(target=watch)
watching.start()
config = TrialConfig.model_validate({
    "data": {"name": "mnist", "label_noise": 0.5},
    "model": {"width": 512},
    "training": {"epochs": 1, "batch_size": 128},
    "compression": {"depth": 1, "target_ratio": 4.0},
})
data_dir, number = Path(sys.argv[1]), int(sys.argv[2])
store = CheckpointStore(data_dir / f"checkpoints-{number}", 1, interval_s=0.0)
for _ in run_trial(config, TrialContext(number, data_dir, checkpoints=store)):
    pass
running = False
watching.join()
print(most - before, of("Rss:") - of("Anonymous:") - files)
"""


def measure() -> dict[str, float]:
    """All figures; about a minute on a quiet machine."""
    with tempfile.TemporaryDirectory(prefix="ockham-bench-") as folder:
        _write_mnist(Path(folder))
        command = [sys.executable, "-c", _TRIAL, folder]
        running = [subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, text=True) for n in range(2)]
        said = [process.communicate()[0].split() for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError("a trial of the benchmark failed")
    private, shared = zip(*[(float(a), float(b)) for a, b in said], strict=True)
    return {"MNIST trial: private MB": max(private), "MNIST trial: shared MB": max(shared)}


def _write_mnist(folder: Path) -> None:
    raw, random = folder / "MNIST" / "raw", np.random.default_rng(0)
    raw.mkdir(parents=True)
    for prefix, count in (("train", 60_000), ("t10k", 10_000)):
        images = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = random.integers(0, 10, count, dtype=np.uint8)
        for array, kind in ((images, "images-idx3"), (labels, "labels-idx1")):
            header = b"\0\0\x08" + bytes([array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
            (raw / f"{prefix}-{kind}-ubyte").write_bytes(header + array.tobytes())
