"""A PostgreSQL that restarts is away for seconds, a full disk for minutes. Drivers ask again."""

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

from study.errors import NoRoom

AWAY_S = 60.0  # longer than a restart takes, with the recovery after a crash
ROOM_S = 600.0  # how long a study waits for somebody to make room on its disk
AGAIN_S = 0.5
P = ParamSpec("P")
T = TypeVar("T")


def outlasting(call: Callable[P, T]) -> Callable[P, T]:
    """`call`, repeated while the database is away: a read, or a write in one `lease.fenced` transaction.

    What a lost connection interrupts has left nothing; only a commit may have come to its end, and is not repeated.
    What a full disk interrupts has left nothing either. A ledger that is `tired` waits no longer.
    """

    @wraps(call)
    def patient(*args: P.args, **kwargs: P.kwargs) -> T:
        begun = time.monotonic()
        while True:
            try:
                return call(*args, **kwargs)
            except DBAPIError as error:
                if not is_connection_lost(error) or time.monotonic() > begun + AWAY_S:
                    raise
            except NoRoom:
                if time.monotonic() > begun + ROOM_S or _wants_to_stop(args[0] if args else None):
                    raise
            time.sleep(AGAIN_S)

    return patient


def is_connection_lost(error: DBAPIError) -> bool:
    """Whether there was a connection that broke, or none could be made: only the server itself gives errors a state."""
    return error.connection_invalidated or getattr(error.orig, "sqlstate", "") is None


def _wants_to_stop(ledger: object) -> bool:
    return bool(getattr(ledger, "tired", lambda: False)())
