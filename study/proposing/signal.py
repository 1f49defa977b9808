"""Whether a search has something to learn from: objectives that most trials define and that differ, new settings."""

from collections import Counter
from collections.abc import Sequence

from study.config import StudyConfig
from study.ledger.rows import ENDED, TrialRow

FEWEST_TRIALS = 10
FEWEST_DEFINED = 0.25
MOST_REPEATED = 0.25


def lacking_signal(config: StudyConfig, trials: Sequence[TrialRow]) -> str | None:
    """Why the study's adaptive sampler has next to nothing to go by, as a sentence; None where it has.

    Args:
        trials: Those that ended count; below 10 nothing is said.
    """
    ended = [row for row in trials if row.state in ENDED and row.state != "PRUNED"]
    if not config.learns or len(ended) < FEWEST_TRIALS:
        return None
    for objective in config.objectives:
        values = [row.metrics[objective.metric] for row in ended if objective.metric in row.metrics]
        if len(values) < FEWEST_DEFINED * len(ended):
            return (
                f"the search has little to learn from: {objective.metric} is defined in {len(values)} of {len(ended)} "
                f"trials{_failures(ended)}; the others count as the worst known. Give networks more training.epochs, "
                "narrow the ranges that were given, or choose another --objective"
            )
        if len(set(values)) == 1:
            return (
                f"the search has nothing to learn from: {objective.metric} is {values[0]:g} in all {len(values)} "
                "trials that define it; widen the ranges that were given, or choose another --objective"
            )
    return _repeating(config, ended)


def _repeating(config: StudyConfig, ended: Sequence[TrialRow]) -> str | None:
    different = len({repr(sorted(row.proposed.items())) for row in ended})
    if (repeated := len(ended) - different) < MOST_REPEATED * len(ended):
        return None
    return (
        f"the search repeats itself: {repeated} of {len(ended)} trials have settings that an earlier one had, with "
        f"fresh seeds; {config.sampler} has tried {different} different ones. Give it more to choose from, or take "
        "--sampler grid, which runs each of a few once"
    )


def _failures(ended: Sequence[TrialRow]) -> str:
    reasons = Counter((row.error or "").split(":")[0] for row in ended if row.state == "FAILED")
    listed = ", ".join(f"{count} {reason or 'without a reason'}" for reason, count in reasons.most_common(3))
    return f" (failed: {listed})" if listed else ""
