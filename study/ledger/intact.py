"""Whether a SQLite ledger's files are whole, and what SQLite's errors about them mean."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from study.errors import Damaged, NoRoom
from study.ledger import wal
from trainables.opening import what_else

# Looking at every page takes a second for 800 MB here; beyond this size that is `ockham doctor NAME`'s business.
LOOKED_THROUGH_BYTES = 200_000_000
_SETTLED_S = 30.0
# A trigger of MLflow's on its table of secrets, which no ledger has: nothing is called, read or written by it.
_ONLY_REFUSES = re.compile(
    r"CREATE TRIGGER \w+\s+BEFORE UPDATE ON secrets\s+FOR EACH ROW\s+WHEN [^;()]+\s"
    r"BEGIN\s+SELECT RAISE\(ABORT, '[^']*'\);\s+END"
)
_DAMAGE = ("malformed", "not a database", "could not decode", "no such table", "no such column", "unsupported file")
_NO_ROOM = ("is full", "disk i/o error", "readonly database", "unable to open")


def check(path: Path, *, whole: bool = False) -> None:
    """Refuses a ledger whose files have lost something, before anything is read from it or changed.

    Args:
        whole: Look at every page, however many there are.
    Raises:
        Damaged: Says which file, and how.
    """
    if trouble := trouble_of(path, whole=whole):
        raise Damaged(f"the ledger in {path.parent} is damaged: {trouble}", path.parent.name)


def trouble_of(path: Path, *, whole: bool = False) -> str:
    """What is wrong with the files of a ledger, "" if nothing is."""
    try:
        for tail in ("", "-wal", "-shm", "-journal"):  # which SQLite would open, and wait for
            if other := what_else(path.with_name(path.name + tail)):
                return f"{path.name}{tail} is {other}"
        if path.stat().st_size == 0:
            return f"{path.name} is empty"
        return wal.damage(path) or _programs(path) or _pages(path, whole=whole)
    except FileNotFoundError:
        return f"{path.name} is missing"
    except sqlite3.DatabaseError as error:
        return "" if _says(error, _NO_ROOM) else f"{path.name}: {error}"  # a folder that can't be written, no damage


def _programs(path: Path) -> str:
    """A view may never end and a trigger write anything: neither we nor Optuna make any, and MLflow's only refuses."""
    with closing(_read_only(path)) as connection:
        query = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')"
        for kind, name, text in connection.execute(query):
            if not _ONLY_REFUSES.fullmatch(text):
                return f"{path.name} has a {kind} in it, {name!r}, which Ockham has not put there"
    return ""


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_SETTLED_S)


def _pages(path: Path, *, whole: bool) -> str:
    if not whole and path.stat().st_size > LOOKED_THROUGH_BYTES:
        return ""
    with closing(_read_only(path)) as connection:
        said = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    return "" if said == ["ok"] else f"{path.name}: {'; '.join(said)}"


def translate(context: Any, path: Path) -> Exception | None:
    """Our own error in the place of what SQLite says of a damaged file or a full disk (SQLAlchemy's `handle_error`)."""
    error = context.original_exception
    if _says(error, _DAMAGE):
        said = f"the ledger in {path.parent} is damaged: {path.name}: {error}"
        return Damaged(said, path.parent.name)
    return NoRoom(str(path), str(error)) if _says(error, _NO_ROOM) else None


def parse_json(text: str, what: str, study: str) -> Any:
    """Parses a column that carries no checksum.

    Raises:
        Damaged: It is no JSON.
    """
    try:
        return json.loads(text)
    except ValueError:
        raise Damaged(f"the ledger of {study!r} is damaged: {what} is no JSON", study) from None


def _says(error: BaseException | None, words: tuple[str, ...]) -> bool:
    return isinstance(error, sqlite3.Error) and any(word in str(error).lower() for word in words)
