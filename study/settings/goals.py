"""Objectives, constraints, what a scheduler goes by and what claims compare must be what trials of the study report."""

import difflib
import itertools
from collections.abc import Iterable

from search_spaces.claims import Claim
from search_spaces.quantities import Level, atoms
from study.config import StudyConfig
from study.errors import UsageError
from study.settings.corners import corners
from trainables.config import TrialConfig
from trainables.record import LATENCY

_DECIDING = ("data.", "control", "compression.method", "compression.recovery", "compression.rate", "compression.ratio")
_MOST_TRIALS = 500
_SHOWN = 12
PREFIX = "measure/"


def check_goals(config: StudyConfig) -> None:
    """Holds every metric that was named against those that trials report.

    Raises:
        UsageError: No trial of the study will ever report one; names the closest.
    """
    from trainables.summary.expected import expected_metrics

    trials, reported = _reported_metrics(config)
    check_claims(config, config.space.claims)
    if config.names_objectives:
        _require("--objective", (goal.metric for goal in config.objectives), reported, config)
    _require("--constraint", (bound.metric for bound in config.constraints), reported, config)
    if config.scheduler != "none":
        early = frozenset[str]().union(*(expected_metrics(trial, while_training=True) for trial in trials))
        _require("--scheduler-metric", [config.stopping.metric.metric], early, config)


def check_claims(config: StudyConfig, claims: Iterable[Claim], known: Iterable[str] = ()) -> None:
    """Holds every number that claims compare against what trials report: metrics, and columns of their networks.

    Args:
        known: Metrics that trials are known to have beside these.
    Raises:
        UsageError: No trial of the study will ever report one; names the claim, the number, and the closest.
    """
    from study.answer.claim_values import metrics_of
    from trainables.summary.expected import expected_columns

    claims = tuple(claims)
    if not claims:
        return
    trials, reported = _reported_metrics(config)
    reported |= frozenset(known)
    columns = frozenset[str]().union(*map(expected_columns, trials))
    for claim in claims:
        for part in (part for value in claim.values for part in atoms(value)):
            if isinstance(part, Level):
                _require(f"the claim {claim.name}: column", [part.column], columns, config)
            else:
                _require(f"the claim {claim.name}:", filter(None, metrics_of(part)), reported, config)


def _reported_metrics(config: StudyConfig) -> tuple[list[TrialConfig], frozenset[str]]:
    """Trials that differ in what they report, and all metrics that any of them does."""
    from trainables.summary.expected import expected_metrics

    trials = list(itertools.islice(corners(config, _DECIDING), _MOST_TRIALS))
    reported = frozenset[str]().union(*map(expected_metrics, trials))
    return trials, reported - {LATENCY} if config.run.gpus_per_trial else reported


def _require(option: str, metrics: Iterable[str], reported: frozenset[str], config: StudyConfig) -> None:
    for metric in metrics:
        if metric not in reported:
            raise UsageError(f"{option} {metric}: {_why_missing(metric, reported, config)}")


def _why_missing(metric: str, reported: frozenset[str], config: StudyConfig) -> str:
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
    if metric.startswith(PREFIX) and not any(name.startswith("/".join(metric.split("/")[:2])) for name in reported):
        said = _of_measures(metric.removeprefix(PREFIX))
        if said:
            return said
    plain = sorted(name for name in reported if not name.endswith("/ci95"))
    close = difflib.get_close_matches(metric, plain, n=3, cutoff=0.5)
    if not close:
        close = [name for name in plain if set(metric.split("/")) & set(name.split("/"))][:_SHOWN] or plain[:_SHOWN]
    return f"no trial of this study reports that. Did you mean {' or '.join(close)}?"


def _of_measures(name: str) -> str:
    """That a measure which there is is not taken; "" of one that there is not."""
    from trainables.looking.measure import MEASURES

    measure = name.partition("/")[0]
    if measure not in MEASURES.names():
        return ""
    return f"trials of this study do not take the measure {measure}; --set measures={measure} does, or measures=all"
