"""What someone who resumes a study asks for beyond going on, and what others put into its queue meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass

from study.errors import UsageError
from study.ledger import Ledger


@dataclass(frozen=True)
class Wishes:
    """Of one run.

    Attributes:
        trials: The budget, smaller than before too; None: what the configuration says, if it is more.
        retry_failed: Run FAILED trials once more, under their numbers.
    """

    trials: int | None = None
    retry_failed: bool = False


NO_WISHES = Wishes()


def grant(ledger: Ledger, wishes: Wishes, say: Callable[[str], None]) -> None:
    """Changes the ledger accordingly, and says so; with the lease held and nothing running. May be repeated."""
    if wishes.trials is not None and wishes.trials != ledger.config.trials:
        ledger.set_trials(wishes.trials)
    if wishes.retry_failed:
        again = ledger.retry_failed()
        say(f"failed trials that run again: {_listed(again)}" if again else "no trial has failed: none runs again")
    if ledger.added_waiting():
        say(f"added configurations are now trials {_listed(ledger.take_added())}")


def budget(asked: int | str | None, ledger: Ledger) -> int:
    """Trials in total: what there is, a number, or "+N" more.

    Raises:
        UsageError: Neither a positive number nor "+N", or less than what has begun already.
    """
    there, begun = ledger.config.trials, ledger.begun()
    if asked is None:
        return there
    text = str(asked)
    number = text.removeprefix("+")
    if not number.isdecimal() or int(number) < 1:
        raise UsageError(f"trials={asked!r}: give a number of trials in total, or +N for N more, e.g. +24")
    total = there + int(number) if text.startswith("+") else int(number)
    if total < begun:
        raise UsageError(
            f"trials={asked}: {begun} trials of {ledger.name} have begun already, and what has begun is never dropped; "
            f"give at least {begun} (the budget is {there})"
        )
    return total


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:20])) + (f" and {len(numbers) - 20} more" if len(numbers) > 20 else "")
