"""Whether compressed levels are really cheaper: an epoch of 4 networks at each level, against the dense ones.

Units are removed with `scope=layer`, four levels to ratio 16, one thread, processor time, median of 5 rounds in turns.

- `time`: of an epoch, dense is 1.
- `multiply-adds`: kept, dense is 1.
- `time / multiply-adds`: 1 is as cheap as arithmetic says.
"""

import statistics
import time

import torch

from tests.benchmarks.training import CASES, CLASSES, Case, epochs
from trainables.compression.sizing import level_widths
from trainables.config import TrialConfig
from trainables.memory import freed_memory_kept
from trainables.stack.interfaces import MODELS

NETWORKS, DEPTH, ROUNDS = 4, 4, 5
_BATCHES = {"mlp": 16, "conv2": 2, "resnet20": 1}


def measure() -> dict[str, float]:
    """All figures; about a minute on a quiet machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with freed_memory_kept():
            return {name: value for case in CASES for name, value in _levels(case).items()}
    finally:
        torch.set_num_threads(threads)


def _levels(case: Case) -> dict[str, float]:
    config = TrialConfig.model_validate(
        {"model": {"name": case.model, "width": case.width}, "compression": {"depth": DEPTH, "target_ratio": 16.0}}
    )
    widths = level_widths(config, case.shape, CLASSES)
    model = MODELS.get(case.model)()
    work = [model.multiply_adds(level, case.shape, CLASSES) for level in widths]
    runs = [epochs(case.stack(NETWORKS, level), case, case.batch * _BATCHES[case.model]) for level in widths]
    seconds: list[list[float]] = [[] for _ in runs]
    for round_ in range(ROUNDS + 1):
        for place, run in enumerate(runs):
            started = time.process_time()
            run()
            if round_:
                seconds[place].append(time.process_time() - started)
    figures = {}
    for level in range(1, DEPTH + 1):
        ratios = [s / dense for s, dense in zip(seconds[level], seconds[0], strict=True)]
        row, kept = f"{case.model} level {level}", work[level] / work[0]
        figures[f"{row}: time"] = statistics.median(ratios)
        figures[f"{row}: multiply-adds"] = kept
        figures[f"{row}: time / multiply-adds"] = statistics.median(ratios) / kept
    return figures
