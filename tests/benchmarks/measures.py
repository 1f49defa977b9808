"""What measures cost: trials of the default study with none, the default ones and all of them, in turns, one thread.

- `default`, `all`: seconds spent on measures, over those of a trial with `none`; budgets .02 and 2.
- `one layer of 1024 × 1024`: seconds of `spectrum` for it over numpy's two decompositions; budget 1.2.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from search_spaces import catalog
from tests.engine import look, taken
from trainables import looks
from trainables.config import TrialConfig
from trainables.dotted import unflatten
from trainables.looking.measure import MEASURES, MeasureResult
from trainables.pausing import Pausing
from trainables.stack.mlp import StackedMLP
from trainables.trial import TrialContext, run_trial

POINTS = ((0.25, 64, 6), (0.5, 96, 12), (0.5, 160, 6), (1.0, 256, 12))
ROUNDS = 1
WAYS = ("none", "default", "all")
BUDGETS = {"default, share of a trial": 0.02, "all, share of a trial": 2.0, "spectrum of 1024 × 1024 over numpy": 1.2}


def measure() -> dict[str, float]:
    """All figures; some minutes on a quiet machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {**_trials(), **_layer()}
    finally:
        torch.set_num_threads(threads)


def _trials() -> dict[str, float]:
    space = catalog.get("redundancy")
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    measuring: dict[str, list[float]] = {way: [] for way in WAYS}
    for number, (noise, width, depth) in enumerate(POINTS):
        point = {"data.label_noise": noise, "model.width": width, "compression.depth": depth}
        for round_ in range(ROUNDS + (number == 0)):  # the first of all warms up
            for way in WAYS:
                flat = {**space.config({**point, "compression.criterion": "random"}).flat(), "measures": way}
                config = TrialConfig.model_validate(unflatten(flat))
                with _measuring() as spent:
                    begun = time.process_time()
                    for _ in run_trial(config, TrialContext(number, Path("unused"))):
                        pass
                    if round_ or number:
                        seconds[way].append(time.process_time() - begun)
                        measuring[way].append(sum(spent))
    means = {way: statistics.fmean(found) for way, found in seconds.items()}
    figures = {f"{way}, seconds of a trial": mean for way, mean in means.items()}
    return figures | {f"{way}, share of a trial": statistics.fmean(measuring[way]) / means["none"] for way in WAYS[1:]}


@contextmanager
def _measuring() -> Iterator[list[float]]:
    """Seconds of each measure that is taken: whole trials differ by more than what the default ones cost."""
    spent: list[float] = []
    take = looks._alone_if_need_be

    def timed(*given: Any) -> Pausing[MeasureResult]:
        work = take(*given)
        while True:
            begun = time.process_time()
            try:
                next(work)
            except StopIteration as end:
                found: MeasureResult = end.value
                return found
            finally:
                spent.append(time.process_time() - begun)
            yield

    looks._alone_if_need_be = timed  # type: ignore[assignment]
    try:
        yield spent
    finally:
        looks._alone_if_need_be = take


def _layer() -> dict[str, float]:
    draws = [torch.Generator().manual_seed(0)]
    viewed = look(StackedMLP((1024, 1024, 10), 1.0, draws), input_shape=(1, 32, 32))
    matrix = viewed.matrices()["layers.0"][0].double().numpy()
    spectrum, theirs = [], []
    for _ in range(3):
        begun = time.process_time()
        taken(MEASURES.get("spectrum")(), viewed)
        spectrum.append(time.process_time() - begun)
        begun = time.process_time()
        for _ in range(2):  # the matrix and the shuffled one
            np.linalg.eigvalsh(matrix.T @ matrix)
        theirs.append(time.process_time() - begun)
    return {"spectrum of 1024 × 1024 over numpy": min(spectrum) / min(theirs)}
