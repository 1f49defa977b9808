"""What it costs a study that its tracking server is down.

- `down / up`: 40 trials that sleep 1 s on 2 slots, first start to last end, with an MLflow server that is down over one
  that answers. Budget: 1.05.
- `s at the end`: what the driver still does after the last trial: report, and waiting for MLflow.
"""

import tempfile
import time
from pathlib import Path

from study.config import RunConfig, StudyConfig
from study.events import Outcome
from study.execution.driver import run
from tests.benchmarks.service import SLOTS, Clock, space
from tests.integration import trials_for_tests
from tests.torture.tracking import Server

TRIALS = 40
BUDGETS = {"down / up": 1.05}


class Lenient(Clock):
    """A clock that doesn't mind what MLflow has not taken."""

    def on_end(self, outcome: Outcome) -> None:
        """All trials must have ended well."""
        if outcome.counts["COMPLETE"] != TRIALS:
            raise RuntimeError(f"the benchmark's study did not end well: {outcome}")

    def _until_published(self) -> None:
        """Nobody waits."""


def measure() -> dict[str, float]:
    """All figures; see the module."""
    figures, spent = {}, {}
    with tempfile.TemporaryDirectory(prefix="ockham-bench-") as folder:
        server = Server(Path(folder) / "server")
        try:
            for state in ("up", "down"):
                spent[state], figures[f"{state}: s at the end"] = timed(Path(folder) / state, server.uri)
                server.kill()
        finally:
            server.kill()
    return {"down / up": spent["down"] / spent["up"], **figures}


def timed(home: Path, uri: str) -> tuple[float, float]:
    """Seconds from the first trial's start to the last one's end, and from there to the end of all."""
    config = StudyConfig(
        name="tracking",
        space=space(adaptive=False),
        trials=TRIALS,
        run=RunConfig(home=home, max_concurrent=SLOTS, tracking_uri=uri),
    )
    clock = Lenient(config)
    run(config, trial=trials_for_tests.nap, listener=clock)
    return clock.ends[-1] - clock.starts[0], time.monotonic() - clock.ends[-1]
