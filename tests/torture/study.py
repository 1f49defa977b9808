"""A small study of real trials (digits, three networks each, about a second), and a process that runs it.

    python -m tests.torture.study HOME NAME TRIALS [FIELD=VALUE …]

runs it, or what is left of it, and prints a line for each event; fields are those of `RunConfig`, values JSON.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from search_spaces.space import Choices, SearchSpace
from study.config import RunConfig, StudyConfig
from study.errors import LeaseHeld, LeaseLost
from trainables.config import TrialConfig
from trainables.record import Record
from trainables.trial import TrialContext, run_trial

ROOT = Path(__file__).parents[2]
CHECKPOINT_S = 0.15
# The second lets a driver find a Ray that listens on the loopback only; on every system, whatever its name says.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


def config(home: Path, name: str, trials: int, **run: Any) -> StudyConfig:
    """The study, two trials at once."""
    space = SearchSpace(
        base={
            "data.split": (400, 100, 100),
            "training.epochs": 60,
            "compression.depth": 3,
            "compression.target_ratio": 8.0,
            "compression.recovery": "finetune",
            "compression.recovery_epochs": 15,
            "replicates": 3,
        },
        span={
            "data.label_noise": Choices(values=(0.5, 1.0)),
            "model.width": Choices(values=(16, 24)),
            "compression.criterion": Choices(values=("magnitude_l2", "random")),
        },
    )
    settings = {"max_concurrent": 2, "progress": False, **run, "home": home}
    return StudyConfig(name=name, space=space, trials=trials, run=RunConfig.model_validate(settings))


def digits(config: TrialConfig, context: TrialContext) -> Iterator[Record | None]:
    """A real trial that saves itself often."""
    if context.checkpoints is not None:
        context.checkpoints.interval_s = CHECKPOINT_S
    yield from run_trial(config, context)


def drive(
    home: Path, name: str, trials: int, environment: Mapping[str, str] | None = None, **run: Any
) -> "subprocess.Popen[str]":
    """A driver in a process of its own, with its output in `<home>/driver.txt`."""
    home.mkdir(parents=True, exist_ok=True)
    fields = [f"{key}={json.dumps(value)}" for key, value in run.items()]
    with (home / "driver.txt").open("a") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.torture.study", str(home), name, str(trials), *fields],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **ENVIRONMENT, **(environment or {})},
            start_new_session=True,
        )


def main(home: str, name: str, trials: str, *fields: str) -> int:
    """Runs it; the exit code is that of `ockham launch`."""
    from study.execution.driver import run
    from tests.integration.driving import Lines

    settings = {key: json.loads(value) for key, _, value in (field.partition("=") for field in fields)}
    asked = config(Path(home), name, int(trials), **settings)
    try:
        return run(asked, trial="tests.torture.study:digits", listener=Lines()).exit_code
    except (LeaseHeld, LeaseLost) as error:
        print(error, flush=True)
        return 4
    except KeyboardInterrupt:  # somebody was impatient: as the command answers
        print("Stopped: finished 130", flush=True)
        return 130


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
