"""What someone who resumes a study asks for beyond going on, and what others put into its queue meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass

from search_spaces.space import MOST_TRIALS
from study.errors import UsageError
from study.ledger import Ledger
from study.proposing import Proposer
from study.proposing.block import block_of
from study.settings.until_decided import stop_if_decided
from trainables.problems import Problem


@dataclass(frozen=True)
class ResumeRequest:
    """What one who resumes a study asks of the run, beyond going on.

    Attributes:
        trials: The budget, smaller than before too, or "+N": so many more than there are once this run has the lease.
            None: what the configuration says, if it is more.
        retry_failed: Run FAILED trials once more, under their numbers.
        repair: Run trials whose results are damaged once more, under their numbers.
    """

    trials: int | str | None = None
    retry_failed: bool = False
    repair: bool = False


NO_REQUEST = ResumeRequest()


def grant(ledger: Ledger, request: ResumeRequest, say: Callable[[str], None]) -> None:
    """Changes the ledger accordingly, and says so; with the lease held and nothing running.

    Raises:
        UsageError: See `budget`: more trials may have begun since it was first looked at.
    """
    if request.trials is not None:
        ledger.set_trials(budget(request.trials, ledger))
    if request.retry_failed:
        again = ledger.retry_failed()
        say(f"failed trials that run again: {numbers_text(again)}" if again else "no trial has failed: none runs again")
    if ledger.added_waiting():
        say(f"added configurations are now trials {numbers_text([row.number for row in ledger.take_added()])}")
    if ledger.config.run.until_decided:
        stop_if_decided(ledger, block_of(ledger.config), say)


def budget(asked: int | str, ledger: Ledger) -> int:
    """Trials in total: a number, or "+N" more than there are.

    Raises:
        UsageError: Neither a positive number nor "+N", less than what has begun already, or more than a grid or
            any study has.
    """
    there, begun = ledger.config.trials, ledger.trials_begun()
    text = str(asked)
    number = text.removeprefix("+")
    if not number.isdecimal() or int(number) < 1:
        raise _of_trials("give a number of trials in total, or +N for N more, e.g. +24", asked)
    total = there + int(number) if text.startswith("+") else int(number)
    if total < begun:
        raise _of_trials(
            f"{begun} trials of {ledger.name} have begun already, and what has begun is never dropped; give at least "
            f"{begun} (the budget is {there})",
            asked,
        )
    if total > MOST_TRIALS:
        raise _of_trials(f"that makes {total} trials in total; a study has at most {MOST_TRIALS}", asked)
    Proposer(ledger.config.model_copy(update={"trials": total}))
    return total


def _of_trials(reason: str, asked: int | str) -> UsageError:
    return UsageError([Problem(reason, ("trials",), value=str(asked))])


def numbers_text(numbers: list[int]) -> str:
    """Numbers of trials for people; the first 20 of many."""
    return ", ".join(map(str, numbers[:20])) + (f" and {len(numbers) - 20} more" if len(numbers) > 20 else "")
