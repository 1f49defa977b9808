"""Time as a run of a study meets it: measured, waited for, and used for what comes back every so often.

`WallClock` is the machine's. Whatever runs a study asks the clock that it was given, so that a simulated one can take
its place, on which hours pass at once and in a fixed order.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Repetition(Protocol):
    """Calls that come back until they are stopped."""

    def stop(self, wait_s: float | None = None) -> None:
        """No further call begins; waits for one that is being made, at most `wait_s` (None: to its end)."""


class Clock(Protocol):
    """Where time comes from."""

    def monotonic(self) -> float:
        """Seconds from a moment that never changes; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Returns so much later."""

    def repeat(self, name: str, call: Callable[[], float | None], first_s: float) -> Repetition:
        """Makes `call` after `first_s`, and again after as many seconds as it returns; None: not again.

        Args:
            name: For whoever looks at what runs.
            call: Must not raise. May run beside everything else, but never beside itself.
        """


class WallClock:
    """The machine's own time; what is repeated has a thread of its own."""

    def monotonic(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        time.sleep(seconds)

    def repeat(self, name: str, call: Callable[[], float | None], first_s: float) -> Repetition:
        """See `Clock`."""
        return _Thread(name, call, first_s)


class _Thread:
    def __init__(self, name: str, call: Callable[[], float | None], first_s: float) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(call, first_s), name=name, daemon=True)
        self._thread.start()

    def stop(self, wait_s: float | None = None) -> None:
        """Ends the thread after the call in progress, and waits for that, at most `wait_s`."""
        self._over.set()
        self._thread.join(wait_s)

    def _run(self, call: Callable[[], float | None], pause_s: float | None) -> None:
        while pause_s is not None and not self._over.wait(pause_s):
            pause_s = call()


WALL_CLOCK: Clock = WallClock()
