"""One driver per study: a lease with a fence that grows, and a heartbeat that counts.

No clocks are compared. A contender on the same machine asks the kernel whether the holder still lives; elsewhere it
watches the heartbeat counter and takes over when that has not moved for a while on its own monotonic clock.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, Update, bindparam, select, update
from sqlalchemy.exc import DBAPIError

from study.crash_points import crash_if_asked
from study.errors import CommitUnknown, LeaseHeld, LeaseLost
from study.ledger.connection import writing
from study.ledger.holder import Holder, this_process
from study.ledger.intact import parse_json
from study.ledger.outage import is_connection_lost
from study.ledger.schema import leases, studies

POLL_S = 0.5
_LOCK = select(leases).where(leases.c.study == bindparam("of_study")).with_for_update()


class LeaseRow(NamedTuple):
    """The lease as stored."""

    fence: int
    held: bool
    heartbeat: int
    holder: Holder | None
    since_ms: int


def acquire(engine: Engine, study: str, *, wait_s: float, stop: str = "") -> int:
    """Takes the lease and returns its fence; also clears a request to stop that was meant for the previous driver.

    Args:
        stop: The command that stops its holder, for the message.
    Raises:
        LeaseHeld: The holder lives: at once on its own machine, elsewhere as soon as its heartbeat moves.
    """
    seen: tuple[int, int] | None = None
    deadline = 0.0
    while True:
        with writing(engine) as connection:
            lease = lock(connection, study)
            fate = lease.holder.fate() if lease.held and lease.holder else "dead"
            if fate == "unknown" and seen == (lease.fence, lease.heartbeat) and time.monotonic() >= deadline:
                fate = "dead"
            if fate == "dead":
                return _take(connection, study, lease.fence + 1)
        if fate == "alive" or (seen is not None and seen != (lease.fence, lease.heartbeat)):
            raise LeaseHeld(study, str(lease.holder), _iso(lease.since_ms), stop)
        if seen is None:
            seen, deadline = (lease.fence, lease.heartbeat), time.monotonic() + wait_s
        time.sleep(max(0.0, min(POLL_S, deadline - time.monotonic())))


@contextmanager
def fenced_transaction(
    engine: Engine, study: str, fence: int | None, *, durable: bool = False, resume: Callable[[], str] = str
) -> Iterator[Connection]:
    """A write transaction in which `fence` is known to be the newest.

    Args:
        durable: See `writing`.
        resume: Says the command that goes on with the study, for the message.
    Raises:
        LeaseLost: It is not, or none was ever taken; nothing is written.
        CommitUnknown: The database went away while it committed.
    """
    committing = False
    try:
        with writing(engine, durable=durable) as connection:
            lease = lock(connection, study)
            if fence is None:
                raise LeaseLost(f"study {study!r}: this process writes without having taken the lease")
            if lease.fence != fence:
                raise LeaseLost(f"study {study!r} was taken over by {lease.holder} (fence {lease.fence}, ours {fence})")
            yield connection
            committing = True
    except DBAPIError as error:
        if committing and is_connection_lost(error):
            raise CommitUnknown(study, resume()) from error
        raise


def lock(connection: Connection, study: str) -> LeaseRow:
    """The lease, locked until the transaction ends (on SQLite the whole database already is)."""
    row = connection.execute(_LOCK, {"of_study": study}).first()
    if row is None:
        raise LeaseLost(f"study {study!r} was deleted")
    return _row(row)


def heartbeat(engine: Engine, study: str, fence: int | None) -> None:
    """Shows that the holder lives."""
    with fenced_transaction(engine, study, fence) as connection:
        connection.execute(_lease(study).values(heartbeat=leases.c.heartbeat + 1))
        crash_if_asked("heartbeat uncommitted")


def release(engine: Engine, study: str, fence: int | None) -> None:
    """Gives the lease back; the fence stays, so that late writes of this holder are still those of the last one."""
    with fenced_transaction(engine, study, fence) as connection:
        connection.execute(_lease(study).values(held=False))
        crash_if_asked("release uncommitted")
    crash_if_asked("release committed")


def read(engine: Engine, study: str) -> LeaseRow | None:
    """The lease as it is now, for displays; None if the study is gone."""
    with engine.connect() as connection:
        row = connection.execute(select(leases).where(leases.c.study == study)).first()
    if row is None:
        return None
    return _row(row)


def _row(row: Row[Any]) -> LeaseRow:
    holder = Holder(**parse_json(row.holder, "who drives it", row.study)) if row.holder else None
    return LeaseRow(row.fence, row.held, row.heartbeat, holder, row.since_ms)


def _take(connection: Connection, study: str, fence: int) -> int:
    holder = json.dumps(this_process().as_json())
    values = {
        "fence": fence,
        "held": True,
        "heartbeat": 0,
        "holder": holder,
        "since_ms": time.time_ns() // 1_000_000,
    }
    connection.execute(_lease(study).values(**values))
    connection.execute(update(studies).where(studies.c.study == study).values(stop=""))
    crash_if_asked("acquire uncommitted")
    return fence


def _lease(study: str) -> Update:
    return update(leases).where(leases.c.study == study)


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
