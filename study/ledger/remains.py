"""A study's folder and its ledger belong together: alone, neither begins or shows anything.

A study begun anew in such a folder would train everything again and double its runs.
"""

import re
from pathlib import Path

from study.config.addresses import command_line
from study.errors import Damaged
from trainables.opening import open_file

COPIES = "snapshots"  # of the ledger, in the study's folder; see study.storing.copying
_MARKS = ("study.yaml", "trials", COPIES)


def refuse_remains(directory: Path, ledger: str | None) -> None:
    """To be called where the ledger knows no study that the folder could belong to.

    Args:
        ledger: As shown to people; None: the folder's own `study.db`.
    Raises:
        Damaged: There is a study in the folder; says what can be done.
    """
    left = [mark for mark in _MARKS if (directory / mark).exists()]
    if not left:
        return
    name = directory.name
    if ledger is not None and (directory / "study.db").is_file():
        raise Damaged(
            f"{directory} holds a study with a ledger of its own, study.db, and {ledger} knows no {name!r}",
            name,
            "Leave --ledger out, or choose another --name",
        )
    where = f"{ledger} knows no {name!r}" if ledger is not None else "its ledger study.db is gone, or holds nothing"
    anew = f"start anew under another --name, or move {directory} away"
    if any((directory / COPIES).glob("fence-*.db")):
        way = f"Put the newest copy of the ledger back: {_mending(directory)}; or {anew}"
    else:
        way = (
            f"Put study.db back from a backup, give the --storage that has copies of it, or {anew}: "
            f"what MLflow has been told stays there"
        )
    raise Damaged(f"{directory} holds a study ({', '.join(left)}), but {where}", name, way)


def signature_line(uid: str) -> str:
    """The first line of study.yaml, which says whose folder it lies in."""
    return f"# study {uid}, as its ledger says\n"


def signature(directory: Path) -> str:
    """The uid that study.yaml was signed with; "" where there is none (an earlier version, or damage)."""
    try:
        with open_file(directory / "study.yaml") as file:
            found = re.match(rb"# study ([0-9a-f]{8}), as its ledger says\n", file.readline(100))
    except OSError:
        return ""
    return found[1].decode() if found else ""


def require_own(directory: Path, uid: str) -> None:
    """Refuses a folder that another study's ledger has been put into, or another study's files.

    Raises:
        Damaged: study.yaml is signed by another study than that of the ledger.
    """
    other = signature(directory)
    if other in ("", uid):
        return
    name = directory.name
    raise Damaged(
        f"the ledger (study.db) and study.yaml in {directory} belong to two studies of the name {name!r} ({uid} and "
        f"{other}); put the right file back",
        name,
        f"Where copies of the ledger or the files tell which is right, this mends it: {_mending(directory)}",
    )


def _mending(directory: Path) -> str:
    return command_line("doctor", directory.name, "--mend", home=directory.parent, ledger=None)
