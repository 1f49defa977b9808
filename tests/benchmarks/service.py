"""What the service itself costs: trials that do nothing, trials that only sleep.

- `ms per no-op trial`: propose, ledger, schedule, record, publish; 500 trials, 2 slots, from the first trial's start
  until the last one's end and until MLflow has everything. Budget: 40 ms with design, 60 with tpe.
- `CPU ms per trial of the …`: what the study's own processes spend of it from the first trial's start on: driver (Ray's
  part of it included) and asker until the last trial's end, publisher until MLflow has everything.
- `last 100 / first 100`: the same, as a ratio of the two ends of the study. Budget: 1.5.
- `s until the first trial`: from the call to the first trial's start, imports included.
- `sleeping / ideal`: 60 trials that sleep 1 s on 2 slots, first start to last end, over 30 s. Budget: 1.10.
"""

import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from search_spaces.space import Choices, Range, SearchSpace
from study.config import RunConfig, StudyConfig
from study.config.goals import Objective
from study.events import Outcome, Silent
from study.execution.driver import run
from study.execution.executor import TrialFunction
from study.ledger import Ledger, TrialRow
from tests.integration import trials_for_tests

SLOTS = 2
MODULES = {"publisher": "study.tracking.publisher", "asker": "study.execution.asking"}
BUDGETS = {
    "design: ms per no-op trial": 40.0,
    "tpe: ms per no-op trial": 60.0,
    "design: last 100 / first 100": 1.5,
    "tpe: last 100 / first 100": 1.5,
    "sleeping / ideal": 1.1,
}


class Clock(Silent):
    """Notes when trials start and end, and when MLflow has everything (the report is written meanwhile)."""

    def __init__(self, config: StudyConfig) -> None:
        self._config = config
        self.starts: list[float] = []
        self.ends: list[float] = []
        self.published = 0.0
        self.cpu: dict[str, float] = {}
        self._cpu_before: dict[str, float] = {}
        self.begun = time.monotonic()
        self._watch = threading.Thread(target=self._until_published)

    def on_trial_start(self, number: int, params: Mapping[str, Any]) -> None:
        """Notes the time."""
        if not self.starts:
            self._cpu_before = cpu_seconds()
        self.starts.append(time.monotonic())

    def on_trial_end(self, row: TrialRow) -> None:
        """Notes the time."""
        self.ends.append(time.monotonic())
        if len(self.ends) == self._config.trials:
            self._spent("driver", "asker")
            self._watch.start()

    def on_end(self, outcome: Outcome) -> None:
        """Everything must have gone well."""
        self._watch.join()
        if outcome.exit_code:
            raise RuntimeError(f"the benchmark's study did not end well: {outcome}")

    def _until_published(self) -> None:
        ledger = Ledger.open(self._config.ledger_url, self._config.name)
        while ledger.outbox_size():
            time.sleep(0.05)
        self.published = time.monotonic()
        self._spent("publisher")
        ledger.close()

    def _spent(self, *parts: str) -> None:
        now = cpu_seconds()
        self.cpu |= {part: now[part] - self._cpu_before.get(part, 0.0) for part in parts if part in now}


def measure(trials: int = 500, naps: int = 60) -> dict[str, float]:
    """All figures; see the module."""
    figures: dict[str, float] = {}
    for sampler in ("design", "tpe"):
        clock = timed(sampler, trials, trials_for_tests.quick)
        hundred = min(100, trials // 2)
        first = clock.ends[hundred - 1] - clock.starts[0]
        last = clock.ends[-1] - clock.ends[-1 - hundred]
        if sampler == "design":  # later ones have everything imported
            figures["s until the first trial"] = clock.starts[0] - clock.begun
        figures[f"{sampler}: ms per no-op trial"] = 1000 * (clock.published - clock.starts[0]) / trials
        figures[f"{sampler}: of these until the last trial's end"] = 1000 * (clock.ends[-1] - clock.starts[0]) / trials
        for part, spent in clock.cpu.items():
            figures[f"{sampler}: CPU ms per trial of the {part}"] = 1000 * spent / trials
        figures[f"{sampler}: last {hundred} / first {hundred}"] = last / first
    clock = timed("design", naps, trials_for_tests.nap)
    figures["sleeping / ideal"] = (clock.ends[-1] - clock.starts[0]) / (naps / SLOTS)
    return figures


def cpu_seconds() -> dict[str, float]:
    """What this process (the driver) and the two that it starts for a study have spent so far."""
    own = psutil.Process()
    spent = {"driver": sum(own.cpu_times()[:2])}
    for child in own.children():
        try:
            line, seconds = " ".join(child.cmdline()), sum(child.cpu_times()[:2])
        except psutil.Error:  # it has just ended
            continue
        spent |= {part: seconds for part, module in MODULES.items() if module in line}
    return spent


def timed(sampler: str, trials: int, trial: TrialFunction) -> Clock:
    """Runs a study of `trials` trials in a fresh home."""
    objectives = (Objective(metric="compressibility/auc"), Objective(metric="val/accuracy"))
    with tempfile.TemporaryDirectory(prefix="ockham-bench-") as home:
        config = StudyConfig(
            name="service",
            space=space(adaptive=sampler == "tpe"),
            trials=trials,
            sampler=sampler,
            objectives=objectives,
            run=RunConfig(home=Path(home), max_concurrent=SLOTS),
        )
        clock = Clock(config)
        run(config, trial=trial, listener=clock)
    return clock


def space(*, adaptive: bool) -> SearchSpace:
    """Six parameters, or five and a fixed condition where an adaptive sampler chooses."""
    span: dict[str, Choices | Range] = {
        "model.width": Range(low=16, high=512, log=True),
        "training.lr": Range(low=1e-3, high=1.0, log=True),
        "training.momentum": Range(low=0.0, high=0.95),
        "compression.criterion": Choices(values=("magnitude_l2", "random")),
        "compression.depth": Choices(values=(3, 6, 12)),
    }
    noise = Choices(values=(0.25, 0.5, 1.0))
    if adaptive:
        return SearchSpace(
            base={"data.label_noise": 1.0}, span=span | {"training.weight_decay": Range(low=0.0, high=0.1)}
        )
    return SearchSpace(span=span | {"data.label_noise": noise})
