"""The token of a home's own MLflow server, in a file that only its user can read: `<home>/mlflow.token`.

It stays the same from server to server, so that scripts can keep it; MLflow's client takes it from the environment.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from trainables.opening import NotReadable, read_file

FILE = "mlflow.token"
VARIABLE = "MLFLOW_TRACKING_TOKEN"
_HERE = ("127.0.0.1", "localhost", "::1")


def own_token(home: Path) -> str:
    """The token of a home's server: that of the environment, else of the file, which is made if it is not there.

    Raises:
        OSError: It can't be made.
    """
    if said := os.environ.get(VARIABLE):
        return said
    if there := _read(home):
        return there
    token = secrets.token_urlsafe(32)
    (home / FILE).unlink(missing_ok=True)  # one that others can read, or that is none, is not used again
    handle = os.open(home / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="ascii") as file:
        file.write(f"{token}\n")
    return token


def use_token(home: Path, uri: str) -> None:
    """Has MLflow's client in this process send the home's token, where the server may be the home's own.

    While that is down any user of the machine can listen in its place: he is not told the token.
    """
    here = VARIABLE not in os.environ and urlsplit(uri).hostname in _HERE
    if here and not _is_anothers(uri) and (token := _read(home)):
        os.environ[VARIABLE] = token


def _is_anothers(uri: str) -> bool:
    parts = urlsplit(uri)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return hasattr(os, "geteuid") and bool(listeners(port) - {os.geteuid(), 0})


def listeners(port: int) -> set[int]:
    """The users who listen on a TCP port of this machine, as far as the system says (Linux does)."""
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with suppress(OSError):
            for line in table.read_text(encoding="ascii").splitlines()[1:]:
                # sl, local address:port, remote one, state (0A: it listens), queues, timer, retransmissions, user
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(int(fields[7]))
    return found


def _read(home: Path) -> str | None:
    file = home / FILE
    try:
        found = file.lstat()
        if found.st_mode & 0o077 or (hasattr(os, "geteuid") and found.st_uid != os.geteuid()):
            return None
        return read_file(file, largest=1000).decode("ascii").strip() or None
    except (OSError, NotReadable, UnicodeDecodeError):
        return None
