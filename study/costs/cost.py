"""What a study has cost so far: hours from the attempts in its ledger, money from the user's prices."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from study.config import RunConfig
from study.ledger import Ledger


@dataclass(frozen=True)
class Cost:
    """Hours and money.

    Attributes:
        core_hours: Hours of all attempts, those that were lost too, times the cores that each held.
        gpu_hours: The same of GPUs.
        hours: In which any trial ran.
        amount: In `currency`; None where no prices are known.
    """

    core_hours: float
    gpu_hours: float
    hours: float
    amount: float | None = None
    currency: str = ""

    def __str__(self) -> str:
        said = f"{_number(self.core_hours)} core-hours"
        said += f", {_number(self.gpu_hours)} GPU-hours" if self.gpu_hours else ""
        return said + (f", {self.amount:.2f} {self.currency}".rstrip() if self.amount is not None else "")

    def as_metrics(self) -> dict[str, Any]:
        """For MLflow's run of the study."""
        found: dict[str, Any] = {f"cost/{name}": value for name, value in asdict(self).items() if value is not None}
        currency = found.pop("cost/currency")
        return found | ({"ockham.currency": currency} if currency else {})


NOTHING = Cost(0.0, 0.0, 0.0)


def cost(trial_seconds: float, wall_seconds: float, run: RunConfig) -> Cost:
    """What so many seconds of trials, summed up, cost in so many seconds on the clock."""
    hours = trial_seconds / 3600
    cores, gpus, wall = hours * run.cpus_per_trial, hours * run.gpus_per_trial, wall_seconds / 3600
    if run.prices is None:
        return Cost(cores, gpus, wall)
    return Cost(cores, gpus, wall, run.prices.amount(cores, gpus, wall), run.prices.currency)


def cost_so_far(ledger: Ledger, *, now_ms: int | None = None) -> Cost:
    """What a study has cost so far, at the cores, GPUs and prices of its latest run.

    Args:
        now_ms: Until when attempts without an end count; None: they don't, as nobody runs them any more.
    """
    times = [(start, end if end is not None else now_ms) for start, end in ledger.attempt_times()]
    known = [(start, end) for start, end in times if end is not None]
    return cost(sum(end - start for start, end in known) / 1000, _union_length(known) / 1000, ledger.config.run)


def _union_length(spans: Sequence[tuple[int, int]]) -> int:
    """Length of the union of (start, end)."""
    total, reached = 0, 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _number(hours: float) -> str:
    return f"{hours:.2f}" if hours >= 0.1 else f"{hours:.2g}"
