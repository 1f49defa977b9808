"""`--address auto`: the Ray on this machine, if it is this user's.

Ray itself takes the address that stands in a file in /tmp, or in the command line of any process that calls itself
raylet, whoever wrote them; and what it connects to runs code in this process.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil

from study.errors import UsageError

_FLAG = "--gcs-address="


def own_cluster(noted: Path | None = None) -> str:
    """Host and port of the Ray that this user, or root, has started here.

    Args:
        noted: Where the last `ray start` noted it; None: where Ray does.
    Raises:
        UsageError: There is none, or there are several.
    """
    if named := os.environ.get("RAY_ADDRESS"):
        return named
    running = set(_running())
    latest = _read(noted or _address_file())
    if latest is not None and (latest in running or not running):
        return latest
    if len(running) == 1:
        return running.pop()
    which = f"several Rays of yours run here ({', '.join(sorted(running))})" if running else "no Ray of yours runs here"
    raise UsageError(f"--address auto: {which}; give --address HOST:PORT")


def _running() -> Iterator[str]:
    for process in psutil.process_iter(["name", "cmdline", "uids"]):
        if process.info["name"] == "raylet" and process.info["uids"] and _is_ours(process.info["uids"].effective):
            for argument in process.info["cmdline"] or ():
                if argument.startswith(_FLAG):
                    yield argument.removeprefix(_FLAG)


def _read(noted: Path) -> str | None:
    """The folder is everybody's: only an ordinary file of this user counts."""
    try:
        handle = os.open(noted, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    with open(handle, encoding="utf-8", errors="replace") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or not _is_ours(found.st_uid):
            return None
        return file.read(200).strip() or None


def _address_file() -> Path:
    from ray._common.utils import get_ray_address_file

    return Path(get_ray_address_file(None))


def _is_ours(owner: int) -> bool:
    return not hasattr(os, "geteuid") or owner in (0, os.geteuid())
