"""Another study's trials, looked up for an adaptive sampler that starts from them."""

from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

from search_spaces.space import CONDITIONS
from study.config import StudyConfig
from study.config.warm_start import WarmTrial
from study.errors import StudyNotFound, UsageError
from study.ledger import Ledger, TrialRow
from study.ledger.place import Place
from study.proposing.inside import is_inside
from study.sampling.interfaces import learning


def with_earlier_trials(config: StudyConfig, message: Callable[[str], None]) -> StudyConfig:
    """`config` with the trials of the study that it starts from; those that it had if it exists already.

    Raises:
        UsageError: There is no such study, or none of its trials tells this one anything.
    """
    start = config.warm_start
    if start is None or start.trials:
        return config
    with suppress(StudyNotFound), closing(Ledger.open(config.ledger_url, config.name)) as mine:
        before = mine.config.warm_start
        if before is not None and before.study == start.study:
            return config.model_copy(update={"warm_start": before})
    if start.study == config.name:
        raise UsageError(f"--warm-start {start.study}: a study can't start from itself; give this one another --name")
    try:
        with closing(Place(home=config.run.home, ledger=config.run.ledger).open(start.study)) as other:
            rows = other.trials(states=("COMPLETE",))
    except StudyNotFound as error:
        raise UsageError(f"--warm-start {start.study}: {error}") from None
    fitting, reasons = _fitting(config, rows)
    if not fitting:
        why = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "it has none"
        raise UsageError(f"--warm-start {start.study}: none of its {len(rows)} complete trials fits ({why})")
    least = learning(config.sampler).least_warm
    if len(fitting) < least:
        raise UsageError(
            f"--warm-start {start.study}: {config.sampler} starts from at least {least} trials, but only "
            f"{len(fitting)} fit; take sampler=tpe or gp"
        )
    numbers = {trial.number for trial in fitting}
    differ = _differences(config, next(row for row in rows if row.number in numbers))
    said = f"; they differ from this study's in {', '.join(differ)}" if differ else ""
    message(f"{config.sampler} starts from {len(fitting)} of {len(rows)} complete trials of {start.study}{said}")
    return config.model_copy(update={"warm_start": start.model_copy(update={"trials": tuple(fitting)})})


def _fitting(config: StudyConfig, rows: list[TrialRow]) -> tuple[list[WarmTrial], Counter[str]]:
    """The trials of use, and why the others are of none."""
    space, distributions = config.space, config.space.distributions()
    here = _fixed_fields(config)
    wanted = [goal.metric for goal in config.objectives] + [bound.metric for bound in config.constraints]
    found: list[WarmTrial] = []
    reasons: Counter[str] = Counter()
    for row in rows:
        params = space.active({name: row.params.get(name, _ABSENT) for name in distributions})
        other = next((name for name in CONDITIONS if row.params.get(name) != here.get(name)), None)
        outside = next((name for name, value in params.items() if not is_inside(distributions[name], value)), None)
        missing = next((metric for metric in wanted if metric not in row.metrics), None)
        if other:
            reasons[f"with another {other}"] += 1
        elif outside:
            reasons[f"outside what this study spans of {outside}"] += 1
        elif missing:
            reasons[f"without {missing}"] += 1
        else:
            metrics = {metric: row.metrics[metric] for metric in wanted}
            found.append(WarmTrial(number=row.number, params=params, metrics=metrics))
    return found, reasons


def _fixed_fields(config: StudyConfig) -> dict[str, Any]:
    """Every field of a trial that this study does not span."""
    space = config.space
    first = {name: spanned.corners()[0] for name, spanned in space.span.items()}
    flat = space.config(space.active(first)).flat()
    return {name: value for name, value in flat.items() if name not in space.span and name != "seed"}


def _differences(config: StudyConfig, row: TrialRow) -> list[str]:
    absent = object()
    return [
        name for name, value in _fixed_fields(config).items() if row.params.get(name, absent) not in (value, absent)
    ]


_ABSENT = object()
