"""Studies for the driver's tests: how they are configured, run in a process of their own, and looked at afterwards.

`python -m tests.integration.driving HOME NAME TRIAL TRIALS` runs one on Ray and prints a line for each event.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psutil
import pytest

from search_spaces.space import Choices, SearchSpace
from study.config import RunConfig, StudyConfig
from study.events import Outcome, Silent
from study.ledger import Ledger, TrialRow
from tests.in_process import no_ray

ROOT = Path(__file__).parents[2]
# For what a driver does whatever runs its trials: in its own process in every run of the tests, on Ray among the ends.
on_ray_too = pytest.mark.parametrize(
    "ray", [pytest.param(True, marks=pytest.mark.ends), False], ids=["on Ray", "in its process"]
)


class Lines(Silent):
    """Prints, and keeps, a line for each event."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_trial_start(self, number: int, params: Mapping[str, Any]) -> None:
        self._say(f"start {number}")

    def on_trial_end(self, row: TrialRow) -> None:
        self._say(f"end {row.number} {row.state}")

    def on_message(self, text: str) -> None:
        self._say(f"message {text}")

    def on_end(self, outcome: Outcome) -> None:
        self._say(f"finished {outcome.exit_code} {outcome.reason}")

    def _say(self, line: str) -> None:
        self.lines.append(line)
        print(line, flush=True)


def config(home: Path, name: str, trials: int, **run: Any) -> StudyConfig:
    """A study over two widths, three noises and two criteria, two trials at once."""
    space = SearchSpace(
        base={"compression.depth": 3},
        span={
            "model.width": Choices(values=(8, 16)),
            "data.label_noise": Choices(values=(0.25, 0.5, 1.0)),
            "compression.criterion": Choices(values=("magnitude_l2", "random")),
        },
    )
    return StudyConfig(name=name, space=space, trials=trials, run=RunConfig(home=home, max_concurrent=2, **run))


def drive(
    home: Path, name: str, trial: str, trials: int, storage: str | None = None, *, ray: bool = True
) -> subprocess.Popen[str]:
    """A driver in a process of its own, at the head of its own process group as under a shell."""
    extra = {} if storage is None else {"OCKHAM_STORAGE": storage}
    where = "on Ray" if ray else "in its process"
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.driving", str(home), name, trial, str(trials), where],
        cwd=ROOT,
        env={**os.environ, **extra},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until(process: subprocess.Popen[str], wanted: str, times: int = 1) -> list[str]:
    """Its output up to the line that is the `times`-th to start with `wanted`."""
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(line.rstrip())
        times -= line.startswith(wanted)
        if times == 0:
            return lines
    raise AssertionError(f"it ended before {wanted!r}:\n" + "\n".join(lines))


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """All its descendants."""
    return psutil.Process(process.pid).children(recursive=True)


def survivors(processes: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    """Those that still run after a while (zombies, which nobody here waits for, don't)."""
    deadline = time.monotonic() + within_s
    while True:
        alive = [process for process in processes if lives(process)]
        if not alive or time.monotonic() > deadline:
            return alive
        time.sleep(0.1)


def lives(process: psutil.Process) -> bool:
    """Whether it still runs."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def rows(home: Path, name: str) -> list[TrialRow]:
    """The study's trials."""
    ledger = Ledger.open(f"sqlite:///{home / name / 'study.db'}", name)
    found = ledger.trials()
    ledger.close()
    return found


def lasting(row: TrialRow) -> dict[str, float]:
    """Metrics that have to be the same in every run."""
    return {name: value for name, value in row.metrics.items() if not name.startswith("cost/")}


def runs(uri: str, name: str) -> list[Any]:
    """MLflow's runs of the trials of a study, by trial number."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(name)
    assert experiment is not None, f"no experiment {name}"
    found = client.search_runs([experiment.experiment_id], max_results=1000)
    children = [run for run in found if "ockham.trial" in run.data.tags]
    assert len(found) == len(children) + 1, "one parent run, for the study"
    return sorted(children, key=lambda run: int(run.data.tags["ockham.trial"]))


def store(home: Path) -> str:
    """The home's MLflow store."""
    return f"sqlite:///{home.absolute() / 'mlflow.db'}"


def optuna_trials(home: Path, name: str) -> list[Any]:
    """What Optuna's own tools see."""
    import optuna

    return optuna.load_study(study_name=name, storage=f"sqlite:///{home / name / 'study.db'}").trials


def main(home: str, name: str, trial: str, trials: str, where: str = "on Ray") -> int:
    """Runs a study; its exit code."""
    from study.execution.driver import run

    with nullcontext() if where == "on Ray" else no_ray():
        outcome = run(
            config(Path(home), name, int(trials), storage=os.environ.get("OCKHAM_STORAGE")),
            trial=f"tests.integration.trials_for_tests:{trial}",
            listener=Lines(),
        )
    return outcome.exit_code


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main(*sys.argv[1:]))
