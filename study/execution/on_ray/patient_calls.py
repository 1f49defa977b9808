"""Questions to Ray's head that can be left: each would wait for a minute for a head that is gone, deaf to signals."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_PAUSE_S = 0.05


def call_patiently(call: Callable[[], T], over: Callable[[], bool], otherwise: T) -> T:
    """What `call` returns, or `otherwise` once it does not matter any more; the call is then left behind.

    Args:
        call: Made in a thread of its own; what it raises, this raises.
        over: Whether nobody waits for the answer.
    """
    answers: list[T] = []
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            answers.append(call())
        except BaseException as error:
            errors.append(error)

    asking = threading.Thread(target=ask, name="ockham-asking", daemon=True)
    if not over():
        asking.start()
    while asking.is_alive() and not over():  # signals are heard here, and not inside of Ray's call
        asking.join(_PAUSE_S)
    if errors:
        raise errors[0]
    return answers[0] if answers else otherwise
