"""A study of 10,000 trials: what it takes to open it, to go on, to look at it.

- `s until its next trial`: open the ledger, take the lease, propose, start; with design, and with tpe, which has to be
  shown all 10,000 first. Budget: 10 s, of which starting Ray takes its share (see `service`).
- `MB`: largest memory of the process that did so, with all that a driver imports. Budget: 1,500.
- `ockham …`: wall time of a command, from the shell.
- `MLflow, best 100 of 1,000 runs`: a search ordered by a metric, in the store of the home.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from study.config import RunConfig, StudyConfig
from study.config.goals import Objective
from study.ledger import Ledger
from study.proposing import Proposer
from tests.benchmarks.service import space
from trainables.record import Record

TRIALS, RUNS = 10_000, 1_000
BUDGETS = {f"{sampler}: s until its next trial": 10.0 for sampler in ("design", "tpe")} | {
    f"{sampler}: MB": 1500.0 for sampler in ("design", "tpe")
}


def measure() -> dict[str, float]:
    """All figures; see the module."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="ockham-bench-") as home:
        for sampler in ("design", "tpe"):
            config = study(Path(home), sampler, TRIALS + 100)
            filled(config, TRIALS)
            for figure, value in child("next_trial", config).items():
                figures[f"{sampler}: {figure}"] = value
        for command in (("status",), ("trials", "--format", "json"), ("trials", "--format", "csv")):
            begun = time.monotonic()
            verb, *options = command
            called = [sys.executable, "-m", "study.cli", verb, "design", *options, "--home", home]
            subprocess.run(called, check=True, stdout=subprocess.DEVNULL)
            figures[f"s for ockham {' '.join(command)}"] = time.monotonic() - begun
        config = study(Path(home) / "other", "design", RUNS)
        filled(config, RUNS, delivered=False)
        figures |= child("published", config)
    return figures


def study(home: Path, sampler: str, trials: int) -> StudyConfig:
    """Of the benchmark of the service."""
    objectives = (Objective(metric="compressibility/auc"), Objective(metric="val/accuracy"))
    return StudyConfig(
        name=sampler,
        space=space(adaptive=sampler == "tpe"),
        trials=trials,
        sampler=sampler,
        objectives=objectives,
        run=RunConfig(home=home, max_concurrent=2),
    )


def filled(config: StudyConfig, trials: int, *, delivered: bool = True) -> None:
    """A ledger with so many complete trials: a real one, and copies of its rows."""
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    ledger.propose([Proposer(config).propose(0)])
    levels = [Record("level", level, {"level/ratio": 2.0**level, "level/train_accuracy": 0.5}) for level in range(13)]
    summary = {f"compressibility/{number}": 0.5 for number in range(40)}
    summary |= {"compressibility/auc": 0.5, "val/accuracy": 0.9}
    records = [Record("dense", 30, {"train/accuracy": 1.0}), *levels, Record("summary", 0, summary)]
    ledger.finish(0, ledger.start_attempt(0), "COMPLETE", records=records)
    if delivered:
        ledger.forget_delivered([row.id for row in ledger.outbox()])
    ledger.release()
    ledger.close()
    engine = create_engine(config.ledger_url)
    with engine.begin() as connection:
        for table in ("trials", "attempts", "steps", "outbox"):
            columns = [row[1] for row in connection.execute(text(f"PRAGMA table_info(ockham_{table})"))]
            columns.remove("id") if "id" in columns else None
            copied = ", ".join("n.i" if name == "number" else _uid(name) for name in columns)
            connection.execute(
                text(
                    f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {trials - 1}) "
                    f"INSERT INTO ockham_{table} ({', '.join(columns)}) SELECT {copied} FROM ockham_{table}, n"
                )
            )
    engine.dispose()


def _uid(column: str) -> str:
    return "substr(uid, 1, length(uid) - 1) || n.i" if column == "uid" else column


def child(what: str, config: StudyConfig) -> dict[str, float]:
    """Figures measured in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.scale", what]
    done = subprocess.run(command, input=config.model_dump_json(), check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def next_trial(config: StudyConfig) -> dict[str, float]:
    """Opens a ledger and starts its next trial."""
    import study.execution.on_ray.reporting  # noqa: F401 - and with it Ray Tune
    from study.execution.asking import proposal_source
    from study.execution.backlog import Backlog
    from study.stop_flag import StopFlag

    begun = time.monotonic()
    ledger = Ledger.open(config.ledger_url, config.name)
    ledger.acquire()
    source = proposal_source(config)
    assignment = Backlog(ledger, config, source, 2, StopFlag()).next(wait=True)
    if assignment is None or ledger.start_attempt(assignment.number) != 1:
        raise RuntimeError("there is no next trial")
    spent = time.monotonic() - begun
    source.close()
    ledger.release()
    return {
        "s until its next trial": spent,
        "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def published(config: StudyConfig) -> dict[str, float]:
    """Publishes a ledger, then searches."""
    import logging

    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    logging.disable(logging.WARNING)
    from mlflow.tracking import MlflowClient

    from study.tracking.delivering import Publisher

    ledger = Ledger.open(config.ledger_url, config.name)
    ledger.acquire()
    publisher = Publisher(ledger, _nobody)
    publisher.round()
    begun, waiting = time.process_time(), len(ledger.outbox_numbers())
    while publisher.round():
        continue
    spent = time.process_time() - begun
    client = MlflowClient(config.store_uri)
    experiment: Any = client.get_experiment_by_name(config.name)
    begun = time.monotonic()
    found = client.search_runs([experiment.experiment_id], "metrics.`compressibility/auc` > 0.1", max_results=100)
    if len(found) != 100:
        raise RuntimeError(f"MLflow found {len(found)} runs")
    return {
        "processor ms to publish a trial": 1000 * spent / max(1, waiting),
        f"s for MLflow to find 100 of {RUNS:,} runs": time.monotonic() - begun,
    }


def _nobody(_event: str, _text: str) -> None:
    """Nobody listens."""


if __name__ == "__main__":
    asked = StudyConfig.model_validate_json(sys.stdin.read())
    print(json.dumps({"next_trial": next_trial, "published": published}[sys.argv[1]](asked)))
