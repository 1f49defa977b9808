"""Objectives, constraints and what a scheduler goes by must be metrics that trials of the study report."""

import difflib
import itertools
from collections.abc import Iterable

from study.config import StudyConfig
from study.errors import UsageError
from study.settings.corners import corners
from trainables.record import LATENCY

_DECIDING = ("data.", "control", "compression.method", "compression.recovery", "compression.rate", "compression.ratio")
_MOST_TRIALS = 500
_SHOWN = 12


def check_goals(config: StudyConfig) -> None:
    """Holds every metric that was named against those that trials report.

    Raises:
        UsageError: No trial of the study will ever report one; names the closest.
    """
    from trainables.summary.expected import expected_metrics

    trials = list(itertools.islice(corners(config, _DECIDING), _MOST_TRIALS))
    reported = frozenset[str]().union(*map(expected_metrics, trials))
    if config.run.gpus_per_trial:
        reported -= {LATENCY}
    if config.names_objectives:
        _require("--objective", (goal.metric for goal in config.objectives), reported, config)
    _require("--constraint", (bound.metric for bound in config.constraints), reported, config)
    if config.scheduler != "none":
        early = frozenset[str]().union(*(expected_metrics(trial, while_training=True) for trial in trials))
        _require("--scheduler-metric", [config.stopping.metric.metric], early, config)


def _require(option: str, metrics: Iterable[str], reported: frozenset[str], config: StudyConfig) -> None:
    for metric in metrics:
        if metric not in reported:
            raise UsageError(f"{option} {metric}: {_why(metric, reported, config)}")


def _why(metric: str, reported: frozenset[str], config: StudyConfig) -> str:
    twins = not any(name.startswith("control/") for name in reported)
    if twins and metric.startswith(("control/", "contrast/")):
        why = "control=false" if config.space.base.get("control") is False else "data.label_noise=0 leaves them clean"
        return (
            f"trials of this study train no clean twins ({why}), so nothing of that name is ever reported; take a "
            "metric of the networks themselves, e.g. val/loss, or train twins"
        )
    if metric == LATENCY:
        return (
            "networks are timed on the CPU, and not beside a GPU, which would have to wait for it; take level/flops or "
            "leave out --gpus-per-trial"
        )
    plain = sorted(name for name in reported if not name.endswith("/ci95"))
    close = difflib.get_close_matches(metric, plain, n=3, cutoff=0.5)
    if not close:
        close = [name for name in plain if set(metric.split("/")) & set(name.split("/"))][:_SHOWN] or plain[:_SHOWN]
    return f"no trial of this study reports that. Did you mean {' or '.join(close)}?"
