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
from study.config.shares import how_many_fit
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
    """Trials that a machine with so many CPUs and GPUs holds: as Ray counts, a trial's share is of one GPU."""
    by_gpu = int(gpus) * how_many_fit(1.0, run.gpus_per_trial) if run.gpus_per_trial > 0 else inf
    return int(min(how_many_fit(cpus, run.cpus_per_trial), by_gpu))


@dataclass(frozen=True)
class ClusterCapacity:
    """What a cluster file makes room for.

    Attributes:
        kinds: Of workers.
        at_most: Workers of all kinds together.
        idle_minutes: After which the cluster ends a worker that it has started; None where machines are simply there.
    """

    kinds: tuple[Nodes, ...]
    at_most: int
    idle_minutes: float | None


def planned_capacity(path: Path = CLUSTER_FILE) -> ClusterCapacity | None:
    """What the cluster whose head this is may grow to; None: this is no such head."""
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
    bought = config.get("provider", {}).get("type") != "local"
    return ClusterCapacity(tuple(found), most, float(config.get("idle_timeout_minutes", 5)) if bought else None)


def most_on_one(run: RunConfig, machines: Sequence[tuple[float, float]], path: Path = CLUSTER_FILE) -> int:
    """Trials at once on the machine that holds most of them, of those there are and those that can be; 0: nobody knows.

    Args:
        machines: (CPUs, GPUs) of those that are there.
    """
    plan = planned_capacity(path)
    later = [kind.hold(run) or 0 for kind in plan.kinds if kind.at_most] if plan else []
    return max([*later, *(fit(cpus, gpus, run) for cpus, gpus in machines)], default=0)


def most_trials(run: RunConfig, machines: Sequence[tuple[float, float]], path: Path = CLUSTER_FILE) -> int:
    """Trials at once when the cluster has grown as far as it can; at least what fits now.

    Args:
        machines: (CPUs, GPUs) of those that are there.
    Raises:
        UsageError: Not one trial fits on any machine that there is or, as far as anybody knows, can be.
    """
    now = sum(fit(cpus, gpus, run) for cpus, gpus in machines)
    plan = planned_capacity(path)
    if plan is None:
        return max(1, now)
    # A machine of a kind that does not say what it has is taken to be as the best that is there; a head without CPUs
    # says nothing about it.
    joined = [(cpus, gpus) for cpus, gpus in machines if cpus]
    unknown = max((fit(cpus, gpus, run) for cpus, gpus in joined), default=1)
    held = [(unknown if (each := kind.hold(run)) is None else each, kind.at_most) for kind in plan.kinds]
    later, left = 0, plan.at_most
    for trials, count in sorted(held, reverse=True):
        later += trials * min(count, left)
        left -= min(count, left)
    if max(now, later) < 1:
        raise UsageError(
            f"--cpus-per-trial {run.cpus_per_trial:g} --gpus-per-trial {run.gpus_per_trial:g}: no machine of this "
            f"cluster holds such a trial; it {_what_there_is(plan, joined)}"
        )
    return max(now, later)


def _what_there_is(plan: ClusterCapacity, joined: Sequence[tuple[float, float]]) -> str:
    can = [f"{kind.kind} ({kind.cpus:g} CPUs, {kind.gpus:g} GPUs)" for kind in plan.kinds if kind.cpus and kind.at_most]
    if any(kind.cpus is None and kind.at_most for kind in plan.kinds) and joined:
        have = ", ".join(f"{cpus:g} CPUs and {gpus:g} GPUs" for cpus, gpus in sorted(set(joined), reverse=True))
        return f"has machines of {have} so far; if larger ones are still to join, try again when they have"
    return f"can have {', '.join(can) or 'none'}"
