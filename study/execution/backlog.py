"""What is to run next: begun trials first, then what users added, then proposals that wait, then new ones.

Proposals are in the ledger before anything of them runs, and are never asked for twice. Samplers that lay their trials
out in advance are asked in blocks; adaptive ones are asked one trial ahead, in a process of their own.
"""

import json
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from study.clock import WALL_CLOCK, Clock
from study.config import StudyConfig
from study.crash_points import crash_if_asked
from study.execution.asking import ProposalSource
from study.execution.executor import Assignment
from study.ledger import ENDED, Ledger, TrialRow
from study.proposing.signal import FEWEST_TRIALS, lacking_signal
from study.settings.until_decided import Gate
from study.stop_flag import StopFlag
from trainables.dotted import unflatten

BLOCK = 32
LOOK_S = 1.0  # how often it is asked whether someone has added configurations
PATIENCE_S = 1.0  # an idle worker is lost if nothing comes for it, and a new one costs more than that
SLICE_S = 0.1  # how soon a wait hears that the study is to stop


class Backlog:
    """The driver's queue. All calls come from the driver's thread.

    Args:
        ledger: With the lease held and no trial RUNNING.
        source: Of proposals.
        slots: Trials at once. As many proposals of an adaptive sampler wait ahead; with one slot, trial n is therefore
            proposed when trial n − 1 starts, in every run.
        flag: Ends all waiting.
        say: Tells people that a study ends because its claims are decided.
        clock: That waiting goes by.
    """

    def __init__(
        self,
        ledger: Ledger,
        config: StudyConfig,
        source: ProposalSource,
        slots: int,
        flag: StopFlag,
        *,
        say: Callable[[str], None] = lambda _: None,
        clock: Clock = WALL_CLOCK,
    ) -> None:
        self._clock = clock
        self._ledger, self._config, self._source, self._flag = ledger, config, source, flag
        self._adaptive = config.learns
        self._ahead = slots if self._adaptive else BLOCK
        rest = _unfinished_trials(ledger)
        # Trials that have not ended, as they were queued, and their attempts begun. What was proposed by an earlier
        # version keeps the configuration that it was given then.
        self._rows = {row.number: row for row in rest}
        self._attempts = {row.number: row.attempts for row in rest if row.attempts}
        self._gate = Gate(ledger, say) if config.run.until_decided else None
        self._held = [row.number for row in rest]
        self._waiting: deque[int] = deque()
        self._let_in()
        # Trials on their way are there too, for samplers that keep clear of what runs.
        self._history = [self._slim(row) for row in [*rest, *ledger.trials(states=ENDED)]] if self._adaptive else []
        self._asked = self._proposed = ledger.next_number()
        self._looked = -math.inf
        self._warn_at = FEWEST_TRIALS
        self._patient_until: float | None = None

    @property
    def is_exhausted(self) -> bool:
        """Nothing waits and the budget is spent."""
        return not self._waiting and not self._held and self._proposed >= self._ledger.config.trials

    def next(self, *, wait: bool) -> Assignment | None:
        """The next trial to start; None if there is none now. `wait` where nothing else can go on meanwhile."""
        self._take(until=0.0)
        self._look_for_added(now=wait)
        if wait and not self._waiting:
            self._look_at_block()
        self._ask()
        if not self._waiting:
            self._take(until=math.inf if wait else self._patience())
            self._look_for_added(now=wait)
        if not self._waiting:
            return None
        self._patient_until = None
        number = self._waiting.popleft()
        row = self._rows[number]
        # Validated when it was proposed, and again by the worker.
        config = json.dumps(unflatten(row.params))
        return Assignment(number, self._attempts.get(number, 0) + 1, config, row.cell)

    def spanned_params(self, number: int) -> Mapping[str, Any]:
        """The spanned parameters of a trial that has not ended."""
        return self._rows[number].proposed

    def on_start(self, number: int, attempt: int) -> None:
        """The attempt is in the ledger; now is the time to ask for what comes after."""
        self._attempts[number] = attempt
        self._ask()
        self._take(until=0.0)

    def again(self, number: int) -> None:
        """The trial lost its worker and goes first."""
        self._waiting.appendleft(number)

    def on_end(self, row: TrialRow) -> str | None:
        """The trial won't come back; adaptive samplers learn from it.

        Returns:
            A warning where there is little to learn; not again before there are four times as many trials.
        """
        self._attempts.pop(row.number, None)
        self._rows.pop(row.number, None)
        if not self._adaptive:
            return None
        self._history.append(self._slim(row))
        if len(self._history) < self._warn_at:
            return None
        self._warn_at = 4 * len(self._history)
        return lacking_signal(self._config, self._history)

    def _look_at_block(self) -> None:
        """Nothing runs, and nothing may begin: the block is over."""
        if self._gate is None or self._proposed < self._gate.limit or self._flag or self._flag.draining:
            return
        if self._proposed >= self._ledger.config.trials and not self._held:
            return  # the last one: what it says is the study's answer
        if self._gate.look():
            self._held.clear()
        self._let_in()

    def _let_in(self) -> None:
        """What was left of earlier runs, as far as its block has come."""
        limit = math.inf if self._gate is None else self._gate.limit
        self._waiting.extend(number for number in self._held if number < limit)
        self._held = [number for number in self._held if number >= limit]

    def _ask(self) -> None:
        if self._asked > self._proposed or len(self._waiting) > self._ahead // 2:
            return
        last = min(self._ledger.config.trials, self._proposed + self._ahead - len(self._waiting))
        if self._gate is not None:
            last = min(last, self._gate.limit)
        if self._proposed < last:
            self._source.ask(range(self._proposed, last), self._history, self._ledger.config.added)
            self._asked = last

    def _take(self, *, until: float) -> None:
        """Queues what has come of what was asked for; waits for some of it, but not for a study that is to stop."""
        while self._asked > self._proposed:
            rest_s = max(0.0, until - self._clock.monotonic())
            if proposals := self._source.take(wait_s=min(SLICE_S, rest_s)):
                crash_if_asked("asked")
                rows = self._ledger.propose(proposals)
                self._rows |= {row.number: row for row in rows}
                self._waiting.extend(row.number for row in rows)
                self._proposed += len(rows)
                return
            if not rest_s or self._flag or self._flag.draining:
                return

    def _patience(self) -> float:
        """Until when a slot that is free may keep the driver's thread from what the others report: once for each."""
        if self._patient_until is None:
            self._patient_until = self._clock.monotonic() + PATIENCE_S
        return self._patient_until

    def _look_for_added(self, *, now: bool) -> None:
        """What users have added gets the next numbers, which nobody may be computing proposals for, and runs first."""
        if self._asked > self._proposed or not (now or self._clock.monotonic() - self._looked > LOOK_S):
            return
        self._looked = self._clock.monotonic()
        if not self._ledger.added_waiting():
            return
        rows = self._ledger.take_added()
        self._rows |= {row.number: row for row in rows}
        if self._adaptive:
            self._history += map(self._slim, rows)
        self._waiting.extendleft(row.number for row in reversed(rows))
        self._asked = self._proposed = self._proposed + len(rows)

    def _slim(self, row: TrialRow) -> TrialRow:
        """What a sampler needs of an ended trial; 10,000 full rows would fill the memory."""
        names = {objective.metric for objective in self._config.objectives}
        names |= {constraint.metric for constraint in self._config.constraints}
        metrics = {name: value for name, value in row.metrics.items() if name in names}
        return replace(row, metrics=metrics, notes={}, traceback=None)


def _unfinished_trials(ledger: Ledger) -> list[TrialRow]:
    """What earlier drivers left and the budget has room for: begun trials, what was added, then as proposed."""
    rows = ledger.trials(states=("QUEUED",))
    rows.sort(key=lambda row: (not row.attempts, not row.added, row.number))
    counts = ledger.counts()
    return rows[: max(0, ledger.config.trials - sum(counts[state] for state in ENDED))]
