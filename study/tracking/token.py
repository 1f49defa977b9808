"""The token of a home's own MLflow server, in a file that only its user can read: `<home>/mlflow.token`.

It stays the same from server to server, so that scripts can keep it; MLflow's client takes it from the environment.
"""

import os
import secrets
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
    """Has MLflow's client in this process send the home's token, where the server may be the home's own."""
    if VARIABLE not in os.environ and urlsplit(uri).hostname in _HERE and (token := _read(home)):
        os.environ[VARIABLE] = token


def _read(home: Path) -> str | None:
    file = home / FILE
    try:
        found = file.lstat()
        if found.st_mode & 0o077 or (hasattr(os, "geteuid") and found.st_uid != os.geteuid()):
            return None
        return read_file(file, largest=1000).decode("ascii").strip() or None
    except (OSError, NotReadable, UnicodeDecodeError):
        return None
