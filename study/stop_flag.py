"""Stopping: one flag with a reason, and the signals that raise it.

Ray's own SIGTERM handler is kept out where Ray lets it be (`keeping_signals`); for other versions ours go in once more
after `ray.init`. SIGINT and SIGHUP reach the whole foreground process group of a terminal: while child processes are
started both are blocked, which children inherit, so that only the driver hears them and can stop everything in order.
"""

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any

_FROM_TERMINAL = tuple(getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name))
AGAIN_S, LONGEST_ORDER_S = 0.05, 20.0
_HANDLED = (*_FROM_TERMINAL, signal.SIGTERM)


class StopFlag:
    """Raised once, with the first reason; read by everything that has to end.

    Attributes:
        draining: Whether nothing new is to be started.
        hurried: Whether somebody has interrupted the study, whatever it stops for: what can be done later is left.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason, self.draining, self.hurried = "", False, False

    def drain_for(self, reason: str) -> None:
        """Asks that nothing new is started; what runs may come to its end. The flag is not raised."""
        if not self._event.is_set():
            self.reason, self.draining = reason, True

    def raise_for(self, reason: str) -> None:
        """Asks the study to stop; later reasons are ignored."""
        if not self._event.is_set():
            self.reason = reason
            self._event.set()

    def interrupt(self, reason: str) -> None:
        """Asks the study to stop in a hurry."""
        self.hurried = True
        self.raise_for(reason)

    def __bool__(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Waits until raised, at most `seconds`; whether it is raised."""
        return self._event.wait(seconds)


class Signals:
    """SIGINT, SIGTERM and SIGHUP raise the flag; a second one ends the process's patience at once.

    Outside the main thread, where Python handles no signals, this does nothing.

    Attributes:
        at_once: Whether already the first one interrupts what the main thread is doing.
    """

    def __init__(self, flag: StopFlag) -> None:
        self._flag, self.at_once = flag, False
        self._previous: dict[signal.Signals, Any] = {}
        self._complain = sys.unraisablehook
        self._putting_back = threading.Lock()  # a signal that is on its way must find our handler

    def install(self) -> None:
        """Puts the handlers in, again if something else replaced them."""
        if threading.current_thread() is not threading.main_thread():
            return
        if not self._previous:
            self._complain, sys.unraisablehook = sys.unraisablehook, self._on_lost_interrupt
        for number in _HANDLED:
            if number.name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN:
                continue  # nohup: whoever closes the terminal does not mean the study
            before = signal.signal(number, self._on_signal)
            self._previous.setdefault(number, before)

    def restore(self) -> None:
        """Puts back the handlers that were there before."""
        if self._previous:
            sys.unraisablehook = self._complain
        # Nobody breaks in from here on, and a signal that is on its way interrupts nothing.
        previous, self._previous = self._previous, {}
        with self._putting_back:
            for number, before in previous.items():
                _put_back(number, before)

    def break_in(self) -> None:
        """From another thread: interrupts what the main thread is doing, also a wait for a lock or an event."""
        with self._putting_back:
            if not self._previous:
                return
            self.at_once = True
            # A pretended signal is looked at when such a wait is over; a real one ends it, and would end the process
            # where another handler than ours is in.
            if hasattr(signal, "pthread_kill") and signal.getsignal(signal.SIGTERM) == self._on_signal:
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
            else:
                _thread.interrupt_main(signal.SIGTERM)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        second = self._flag.hurried
        if not second:  # by a thread: this one may be in the middle of writing
            threading.Thread(target=_say_stopping, daemon=True).start()
        self._flag.interrupt(f"interrupted by {signal.Signals(number).name}")
        if (second or self.at_once) and self._previous:
            self.at_once = False
            raise KeyboardInterrupt

    def _on_lost_interrupt(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """An interrupt that fell where Python raises nothing, in a callback of C say, comes once more."""
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            self._complain(unraisable)
            return
        later = threading.Timer(AGAIN_S, self.break_in)  # at once would be lost in here
        later.daemon = True
        later.start()


def _say_stopping() -> None:
    with contextlib.suppress(OSError, ValueError):
        print("Stopping: what runs is saved first (once more ends it at once).", file=sys.stderr, flush=True)


@contextmanager
def children_ignore_interrupts() -> Iterator[None]:
    """Processes started inside never hear the terminal's SIGINT or SIGHUP; the caller hears them afterwards.

    They inherit what the calling thread blocks, whichever that is.
    """
    if os.name != "posix":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FROM_TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def without_interrupts() -> AbstractContextManager[None]:
    """Inside, nobody interrupts putting things in order, which takes seconds; if it hangs, they do again."""
    patience = time.monotonic() + LONGEST_ORDER_S

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if time.monotonic() > patience:
            raise KeyboardInterrupt

    return _handling(_HANDLED, on_signal)


def interrupted_by(*numbers: signal.Signals) -> AbstractContextManager[None]:
    """Inside, these signals interrupt as Ctrl-C does; outside the main thread, which alone hears any, they do not."""
    return _handling(numbers, _interrupt)


@contextmanager
def _handling(numbers: Sequence[signal.Signals], handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.signal(number, handler)) for number in numbers]
    try:
        yield
    finally:
        for number, own in before:
            _put_back(number, own)


def _put_back(number: signal.Signals, handler: Any) -> None:
    signal.signal(number, handler if handler is not None else signal.SIG_DFL)  # None: not from Python


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
