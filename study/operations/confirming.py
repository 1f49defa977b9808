"""Trials that were explored, or picked, run again with fresh seeds: as design trials of the same study, which count.

What was chosen for how well it did would do less well again; only the new trials say how well it does.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from study.errors import UsageError
from study.ledger import Ledger
from study.settings import machine
from study.settings.inputs import compare_inputs

if TYPE_CHECKING:
    from study.ledger import TrialRow

_MOST_TIMES = 1000


def confirm(ledger: Ledger, numbers: Sequence[int] = (), *, times: int = 1) -> list[int]:
    """Puts trials into the queue once more, until each will have been confirmed so often.

    What has been asked for before is not asked for twice: stopped anywhere and asked again, it goes on with what is
    left. Rows of the trials themselves stay as they are.

    Args:
        numbers: Of the trials; (): all that explored and ended COMPLETE.
        times: How often each is to be run again in all.
    Returns:
        For each trial that was put into the queue now the number of the one that it confirms.
    Raises:
        UsageError: There is no such trial, or none that explored, or what trials read is not what it was.
    """
    if not 1 <= times <= _MOST_TIMES:
        raise UsageError(f"--times {times}: give a number from 1 to {_MOST_TIMES}")
    rows = ledger.trials()
    picked = _trials_to_confirm(ledger, rows, numbers)
    config = ledger.config
    # A trial is known by its configuration: two that were explored with the same one are confirmed together.
    there = Counter(row.fingerprint for row in rows if row.is_repetition and row.state not in ("FAILED", "PRUNED"))
    for params, role in ledger.waiting():
        there[config.space.config(params, config.seed).fingerprint()] += role == "design"
    queued = []
    for time in range(times):  # one of each, then another of each: every stop leaves them as balanced as can be
        for row in picked:
            if there[row.fingerprint] <= time:
                there[row.fingerprint] += 1
                queued.append(row)
    trials = [config.space.config(row.proposed, config.seed) for row in queued]
    for row, trial in zip(queued, trials, strict=True):
        if trial.fingerprint() != row.fingerprint:
            raise UsageError(
                f"trial {row.number} of {ledger.name} can't be run again as it was: an earlier version ran it, whose "
                f"defaults were others. Launch a study of its configuration, which this shows: "
                f"{config.command('trials', str(row.number))}"
            )
    if queued:
        configurations = [dict(row.proposed) for row in queued]
        machine.DataSets().prepare(config.model_copy(update={"configurations": tuple(configurations)}))
        ledger.record_inputs(compare_inputs(ledger, trials))
        ledger.add(configurations, "design")
    return [row.number for row in queued]


def _trials_to_confirm(ledger: Ledger, rows: "Sequence[TrialRow]", numbers: Sequence[int]) -> "list[TrialRow]":
    if not numbers:
        found = [row for row in rows if row.role == "explore" and row.state == "COMPLETE"]
        if not found:
            raise UsageError(
                f"no trial of {ledger.name} has explored and ended COMPLETE; name those that you picked: "
                f"{ledger.config.command('confirm')} 3 7"
            )
        return found
    by_number = {row.number: row for row in rows}
    found = []
    for number in dict.fromkeys(numbers):
        row = by_number.get(number)
        if row is None or row.state not in ("COMPLETE", "PRUNED"):
            said = "there is none" if row is None else f"it is {row.state}"
            raise UsageError(
                f"trial {number} of {ledger.name} can't be confirmed: {said}; {ledger.config.command('trials')} lists "
                "those that ended"
            )
        if row.is_repetition:
            raise UsageError(
                f"trial {number} of {ledger.name} is itself one that was run again; confirm the trial that it was of "
                "more often: --times N"
            )
        found.append(row)
    return found
