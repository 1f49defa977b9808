"""Long work that can be stopped: a generator that yields None wherever it may pause, and returns a result."""

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

# `result = yield from work()` passes the pauses on.
Pausing = Generator[None, None, T]


def finish(work: Pausing[T]) -> T:
    """Runs the work to its end without a pause."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result
