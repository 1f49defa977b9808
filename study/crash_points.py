"""Places where a test may kill a process for real: on both sides of everything that must not be left half done.

    OCKHAM_CRASH_AT="record uncommitted:3:/tmp/mark" ockham launch …

kills the process that is the first to get to that place for the third time, with SIGKILL, and none after it: the file
marks that it has happened. Without the variable `crash_if_asked` compares two strings and returns.
"""

import itertools
import os
import signal

VARIABLE = "OCKHAM_CRASH_AT"
POINTS = (
    "study made",  # and nobody has its lease
    "study file written",  # under another name
    "acquire uncommitted",
    "acquire committed",
    "heartbeat uncommitted",
    "asked",  # proposals that only this process knows of
    "propose uncommitted",
    "propose committed",
    "start uncommitted",
    "start committed",
    "record uncommitted",
    "record committed",
    "networks written",  # under another name
    "networks renamed",  # and the ledger does not know that the trial has ended
    "finish uncommitted",
    "finish committed",
    "requeue uncommitted",
    "requeue committed",
    "checkpoint written",  # under another name; in a worker
    "checkpoint renamed",
    "store unfinished",  # in the publisher, as all below up to `drained`; MLflow's, under another name
    "study run made",
    "trial run made",  # and the ledger does not know its id
    "outbox read",
    "batch sent",  # and the run not ended
    "delivered uncommitted",
    "delivered committed",
    "optuna study made",  # and not signed
    "optuna trial told",  # attributes, not yet the state
    "optuna trial finished",
    "drained",  # and the driver does not know
    "concluded",  # report written, MLflow not told of the end
    "release uncommitted",
    "release committed",
)
_point, _, _rest = os.environ.get(VARIABLE, "").partition(":")
_times, _, _mark = _rest.partition(":")
_passed = itertools.count(1)


def crash_if_asked(point: str) -> None:
    """Kills this process at the point if a test asked for that, by the environment."""
    if point == _point and next(_passed) == int(_times or 1) and _first():
        os.kill(os.getpid(), signal.SIGKILL)


def _first() -> bool:
    """Whether no other process has died here."""
    try:
        os.close(os.open(_mark or os.devnull, os.O_CREAT | (os.O_EXCL if _mark else 0)))
    except FileExistsError:
        return False
    return True
