"""The driver's pulse: every second it beats the lease's heart and listens for reasons to stop."""

from collections.abc import Callable
from typing import Self

from sqlalchemy.exc import DBAPIError

from study.clock import WALL_CLOCK, Clock, Repetition
from study.errors import CommitUnknown, LeaseLost, NoRoom
from study.execution.executor import Executor
from study.ledger import Ledger
from study.ledger.outage import ROOM_S, is_connection_lost
from study.stop_flag import StopFlag

BEAT_S = 1.0


class Watch:
    """Every second: heartbeat, `ockham stop` requests, the time budget, a look at what the trials run on.

    For the block of a `with`, which has to hold all that happens under the lease: anything may take longer than the
    30 s after which another machine takes a silent driver for dead.

    Args:
        ledger: With the lease held.
        flag: Raised when the study has to stop.
        time_budget: Seconds from now, None for no limit.
        say: Tells the user that a pause was heard (from another thread).
        clock: That it beats by.

    Attributes:
        lost: Set when another driver has taken over.
        executor: Where trials run, while any do. One that dies may leave the main thread waiting for ever.
        break_in: Ends what the main thread is waiting for when that happens.
    """

    def __init__(
        self,
        ledger: Ledger,
        flag: StopFlag,
        time_budget: float | None,
        say: Callable[[str], None] = lambda _: None,
        clock: Clock = WALL_CLOCK,
    ) -> None:
        self._ledger, self._flag, self._say, self._clock = ledger, flag, say, clock
        self._deadline = None if time_budget is None else clock.monotonic() + time_budget
        self._beating: Repetition | None = None
        self._full = False
        self.lost: LeaseLost | None = None
        self.executor: Executor | None = None
        self.break_in: Callable[[], None] = lambda: None

    def beat(self) -> float | None:
        """One beat: seconds until the next, None if there is to be none. A locked database only delays one."""
        if self._deadline is not None and self._clock.monotonic() >= self._deadline:
            self._flag.raise_for("time budget spent")
        executor = self.executor
        if executor is not None and not executor.lives() and self.executor is executor:  # not one that ends as planned
            self._flag.raise_for(f"{executor.name} died")
            self.executor = None
            self.break_in()
        try:
            self._ledger.heartbeat()
            if asked := self._ledger.stop_requested():
                self._flag.raise_for("stop requested") if asked == "now" else self._drain()
            self._full = False
        except LeaseLost as lost:
            self.lose(lost)
            return None
        except CommitUnknown:
            pass  # nothing is lost either way, and nobody need know: the next beat, seconds later, tells
        except NoRoom as error:
            self._wait_for_room(error)
        except DBAPIError as error:
            self._flag_if_gone(error)
        return self._pause()

    def lose(self, lost: LeaseLost) -> None:
        """Another driver has taken over: stop, and say so."""
        self.lost = lost
        self._flag.raise_for("another driver took over")

    def _drain(self) -> None:
        if not self._flag.draining:
            self._flag.drain_for("paused")
            self._say("pausing: running trials go on to their end, no new ones start")

    def __enter__(self) -> Self:
        self._beating = self._clock.repeat("ockham-watch", self.beat, self._pause())
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._beating is not None:
            self._beating.stop(60.0)

    def _pause(self) -> float:
        if self._deadline is None or self._flag:
            return BEAT_S
        return min(BEAT_S, max(0.0, self._deadline - self._clock.monotonic()))

    def _wait_for_room(self, error: NoRoom) -> None:
        """The driver's own writes wait likewise."""
        if not self._full:
            self._full = True
            self._say(f"{error.where} can't be written ({error.why}); waiting {ROOM_S / 60:.0f} minutes for room there")

    def _flag_if_gone(self, error: DBAPIError) -> None:
        """Stops the study for what does not pass by itself.

        A lock, or a database out of reach, is let go: it delays a beat, the driver's own writes wait for it and say so
        if it stays away, and a driver that takes over meanwhile is heard of at the next beat.
        """
        if "locked" not in str(error) and not is_connection_lost(error):
            self._flag.raise_for(f"the ledger can't be written: {error.orig}")
