"""Running until every claim is decided: blocks are looked at one after the other, and the first that suffices is last.

A claim that is decided by condition as well is decided once it is so for all conditions together: the conditions share
its error and say more, but each alone would take as many trials as all of them.

What is looked at is a function of trials and plan alone: a study that was killed and resumed stops at the same trial.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from study.ledger import ENDED, Ledger
from study.proposing.block import block_of
from study.settings.verdicts import verdicts_from

if TYPE_CHECKING:
    from study.answer.verdict import Finding, Verdicts


class Gate:
    """Lets a study's trials begin a block at a time.

    Args:
        ledger: With the lease held.
        say: Tells people.

    Attributes:
        limit: Trials from this number on may not begin yet.
    """

    def __init__(self, ledger: Ledger, say: Callable[[str], None] = lambda _: None) -> None:
        self._ledger, self._say = ledger, say
        self._block = block_of(ledger.config)
        self.limit = _num_ended(ledger) // self._block * self._block + self._block

    def look(self) -> bool:
        """Whether the trials below the limit, all of which have ended, decide every claim.

        Then the study ends with them: that is its number of trials now. Else another block may begin.
        """
        if stop_if_decided(self._ledger, self._block, self._say):
            return True
        self.limit += self._block
        return False


def stop_if_decided(ledger: Ledger, block: int, say: Callable[[str], None]) -> bool:
    """Ends a study with the last whole block that has ended, if that decides every claim."""
    number = _num_ended(ledger) // block * block
    if number == 0 or number >= ledger.config.trials:
        return False
    found = verdicts_from(ledger, [row for row in ledger.trials() if row.number < number])
    if not found.all_decided:
        return False
    said = "; ".join(_decision_text(one, found) for one in found.headlines if one.role != "description")
    # What has begun, before the study stopped for its claims, stays.
    ledger.set_trials(max(number, ledger.trials_begun()))
    say(f"decided after {number} trials: {said}")
    return True


def _decision_text(headline: "Finding", found: "Verdicts") -> str:
    """The verdict on a claim, and of which conditions alone nothing is known yet: those are not waited for."""
    left = [one.condition for one in found.conditions(headline.claim) if not one.is_decided]
    alone = f" (by itself not yet: {', '.join(left)})" if left else ""
    return f"{headline.claim} is {headline.verdict}{alone}"


def _num_ended(ledger: Ledger) -> int:
    """How many trials have ended from the first on without a gap."""
    count = 0
    for number, state in sorted(ledger.states().items()):
        if number != count or state not in ENDED:
            break
        count += 1
    return count
