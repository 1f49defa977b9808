"""Who holds a lease, and whether that process still lives, where that can be known for certain."""

import getpass
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import psutil


@dataclass(frozen=True)
class Holder:
    """A process, so that no other one, earlier or later, here or elsewhere, is taken for it.

    Attributes:
        boot: Identifies the machine and its boot.
        pids: The process id name space: containers of one host share `boot`, but not their process ids.
        started: When the process started, as the kernel counts (ticks since boot; no clock that can be set).
    """

    host: str
    user: str
    boot: str
    pids: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"{self.user}, process {self.pid} on {self.host}"

    def as_json(self) -> dict[str, str | int]:
        """JSON types."""
        return asdict(self)

    def fate(self) -> Literal["alive", "dead", "unknown"]:
        """Whether it still runs; unknown if it lives where this process can't look."""
        here = this_process()
        if not self.boot or (self.boot, self.pids) != (here.boot, here.pids):
            return "unknown"
        return "alive" if _start_time(self.pid) == self.started else "dead"


def this_process() -> Holder:
    """The calling process."""
    pid = os.getpid()
    return Holder(socket.gethostname(), _user(), _boot(), _pid_namespace(), pid, _start_time(pid) or "")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without an entry in /etc/passwd
        return str(os.getuid())


def _boot() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else f"{socket.gethostname()} {int(psutil.boot_time())}"


def _pid_namespace() -> str:
    path = Path("/proc/self/ns/pid")
    return os.readlink(path) if path.exists() else ""


def _start_time(pid: int) -> str | None:
    """Start time of a process that can still act, None if there is none (a zombie can't)."""
    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists():
            return f"{process.create_time():.2f}"
        return stat.read_text().rpartition(")")[2].split()[19]
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return None
