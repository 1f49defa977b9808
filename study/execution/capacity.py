"""How many trials a cluster can hold at once, workers included that are not there yet.

A cluster that `ray up` made scales with what waits, from no worker at all: what it has now says nothing. Its head keeps
the cluster file; there is none where another program scales it (Kubernetes), and what is there now has to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import yaml

from study.config import RunConfig
from study.errors import UsageError

CLUSTER_FILE = Path("~/ray_bootstrap_config.yaml")


@dataclass(frozen=True)
class Nodes:
    """Machines of one kind.

    Attributes:
        at_most: How many there can be.
        cpus, gpus: Of one; None where only the machine itself knows.
    """

    kind: str
    at_most: int
    cpus: float | None
    gpus: float | None

    def hold(self, run: RunConfig) -> int | None:
        """Trials that fit on one at once; None if that can't be known yet."""
        return None if self.cpus is None else fit(self.cpus, self.gpus or 0.0, run)


def fit(cpus: float, gpus: float, run: RunConfig) -> int:
    """Trials that a machine with so many CPUs and GPUs holds."""
    by_gpu = gpus / run.gpus_per_trial if run.gpus_per_trial > 0 else inf
    return int(min(cpus / run.cpus_per_trial, by_gpu) + 1e-9)


def planned(path: Path = CLUSTER_FILE) -> tuple[list[Nodes], int] | None:
    """The worker types of the cluster whose head this is, and how many workers there can be in all; None: no head."""
    path = path.expanduser()
    if not path.is_file():
        return None
    config: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    most = int(config.get("max_workers", 0))
    found = []
    for name, kind in config.get("available_node_types", {}).items():
        resources = kind.get("resources") or {}
        known = "CPU" in resources
        cpus, gpus = (float(resources.get(what, 0)) if known else None for what in ("CPU", "GPU"))
        found.append(Nodes(name, min(most, int(kind.get("max_workers", most))), cpus, gpus))
    return found, most


def most_trials(run: RunConfig, machines: Sequence[tuple[float, float]], path: Path = CLUSTER_FILE) -> int:
    """Trials at once when the cluster has grown as far as it can; at least what fits now.

    Args:
        machines: (CPUs, GPUs) of those that are there.
    Raises:
        UsageError: Not one trial fits on any machine that there is or can be.
    """
    now = sum(fit(cpus, gpus, run) for cpus, gpus in machines)
    plan = planned(path)
    if plan is None:
        return max(1, now)
    kinds, left = plan
    # A machine of a kind that does not say what it has is taken to be as the best that is there.
    unknown = max((fit(cpus, gpus, run) for cpus, gpus in machines), default=0) or 1
    held = [(unknown if (each := kind.hold(run)) is None else each, kind.at_most) for kind in kinds]
    later = 0
    for trials, count in sorted(held, reverse=True):
        later += trials * min(count, left)
        left -= min(count, left)
    if max(now, later) < 1:
        said = ", ".join(f"{kind.kind} ({kind.cpus:g} CPUs, {kind.gpus:g} GPUs)" for kind in kinds if kind.cpus)
        raise UsageError(
            f"--cpus-per-trial {run.cpus_per_trial:g} --gpus-per-trial {run.gpus_per_trial:g}: no machine of this "
            f"cluster holds such a trial; it can have {said or 'none'}"
        )
    return max(now, later)
