"""Who drives a study, as its storage says: what holds the lease's place between homes that don't share a ledger.

An object `driver.json` beside the snapshots names the fence and counts heartbeats. An object store has no locks: a
driver that reads a later claim than its own stops, and of two equal ones the larger token wins.
"""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from study.errors import LeaseHeld, LeaseLost, UsageError
from study.ledger.holder import Holder, this_process
from trainables.storage import Folder

FILE = "driver.json"
BEAT_S = 10.0
WAIT_S = 35.0
_POLL_S = 2.0


@dataclass(frozen=True)
class StorageClaim:
    """A driver's word on the storage.

    Attributes:
        uid: Of the study.
        fence: Of the lease in its ledger.
        token: Tells two drivers with the same fence apart.
        beat: Grows while it lives.
        held: Whether it still drives.
    """

    uid: str
    fence: int
    token: str
    beat: int
    held: bool
    holder: dict[str, Any]
    since_s: float

    @classmethod
    def from_this_process(cls, uid: str, fence: int) -> "StorageClaim":
        """A new claim, by this process."""
        return cls(uid, fence, secrets.token_hex(8), 0, True, this_process().as_json(), time.time())

    @property
    def process(self) -> Holder:
        """The process."""
        return Holder(**self.holder)

    def next_beat(self, *, held: bool = True) -> "StorageClaim":
        """The next heartbeat, or the last."""
        return replace(self, beat=self.beat + 1, held=held)


def read(folder: Folder) -> StorageClaim | None:
    """The claim on a study's folder; None if nobody ever drove it from there.

    Raises:
        UsageError: It is not what a driver wrote.
    """
    data = folder.read(FILE)
    try:
        return None if data is None else StorageClaim(**json.loads(data))
    except (ValueError, TypeError):
        raise UsageError(
            f"--storage: {FILE} in {folder} is damaged, so nobody knows who drives the study; make sure that nobody "
            f"does, remove the file, and resume the study"
        ) from None


def write(folder: Folder, claim: StorageClaim) -> None:
    """Replaces the claim.

    Raises:
        LeaseLost: A later one is there.
    """
    there = read(folder)
    if there is not None and (there.fence, there.token) > (claim.fence, claim.token):
        raise LeaseLost(f"the study was taken over by {there.process}, says {folder}")
    folder.write(FILE, [json.dumps(asdict(claim)).encode()])


def check(folder: Folder, name: str, uid: str, fence: int) -> None:
    """Looks whether a home may speak for the study: before it takes the lease, which alone would make its fence later.

    Args:
        fence: Of the last lease in the home's ledger.
    Raises:
        UsageError: The folder belongs to another study, or to a later ledger of this one.
    """
    there = read(folder)
    if there is not None and there.uid != uid:
        raise UsageError(
            f"--storage: {folder} holds another study that is called {name!r}; choose another --name or --storage, or "
            f"look at the other one from a new --home: ockham resume {name} --home DIR --storage …"
        )
    if there is not None and there.fence > fence:
        raise UsageError(
            f"--storage: {folder} holds a later ledger of {name!r} than this home: it went on with {there.process}. "
            f"Move this home's folder of the study away and resume it: it starts from the newest snapshot"
        )


def take(folder: Folder, name: str, uid: str, fence: int) -> StorageClaim:
    """Claims the folder for a driver that has just taken the lease of its ledger.

    Raises:
        UsageError: See `check`.
    """
    check(folder, name, uid, fence - 1)
    claim = StorageClaim.from_this_process(uid, fence)
    write(folder, claim)
    return claim


def wait_until_free(
    folder: Folder, name: str, *, wait_s: float = WAIT_S, say: Callable[[str], None]
) -> StorageClaim | None:
    """The last claim on a folder, of a driver that has ended or shows no heartbeat any more.

    Raises:
        LeaseHeld: It lives.
    """
    first = read(folder)
    fate = "dead" if first is None or not first.held else first.process.fate()
    if first is None or fate == "dead":
        return first
    if fate == "alive":
        raise _lease_held(first, name)
    say(f"waiting {wait_s:.0f} s to see whether {first.process} still drives {name}")
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        time.sleep(min(_POLL_S, wait_s))
        now = read(folder)
        if now is not None and not now.held:
            return now
        if now is not None and (now.beat, now.token) != (first.beat, first.token):
            raise _lease_held(now, name)
    return first


def _lease_held(claim: StorageClaim, name: str) -> LeaseHeld:
    return LeaseHeld(name, str(claim.process), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(claim.since_s)))
