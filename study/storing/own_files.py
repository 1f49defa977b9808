"""Which files in a study's folder, in its home or on its storage, are the study's: what Ockham itself writes there.

Only these are ever deleted, and a folder that holds others is not taken for a new study.
"""

import re
from collections.abc import Callable, Iterable

from study.config.addresses import STORE
from study.errors import UsageError
from study.ledger.files import RESULTS
from trainables.storage import Folder, LocalFolder

# In a home, beside the folders of studies.
_STORE = tuple(f"{STORE}{end}" for end in ("", "-wal", "-shm", "-journal"))
# And what workers may write to on a cloud's storage, of every study: what lies below a folder of this name.
RESERVED = ("data", "mlartifacts", "mlruns", "mlflow.token", "mlflow.html", "trials", *_STORE)
_RESULTS = "|".join(name.partition(".")[0] for name in RESULTS)
_OWN = (
    r"study\.(db(-wal|-shm|-journal)?|db\.optuna\.lock|yaml|\d+\.tmp)",
    r"(claims\.yaml|publisher\.log|\.publisher\.lock|driver\.json)",
    r"(ledger|snapshots)/(fence-\d+-\d+\.db|claims\.yaml)",
    r"(damaged-[\d-]+/)study\.db(-wal|-shm)?",
    r"\.(copying|snapshot|mending|restoring)-\w+/[\w.-]+",  # of a process that died
    rf"(replaced/)?trials/\d{{4,}}/({_RESULTS})\.[\w.-]+",
    rf"({_RESULTS})\.gathered",
    r"trials/\d{4,}/(log\.txt|checkpoints/.+)",
    r"report/(index\.html|verdicts\.json|figures/[\w.-]+\.(csv|svg))",
    # What was being written when its writer died: the process's number tells it from somebody's own .tmp.
    r"((ledger|snapshots|(replaced/)?trials/\d{4,}(/checkpoints)?)/)?[\w.-]+\.((\d+|fetched)\.tmp|tmp(-\d+)+)",
)
_IS_OWN = re.compile("|".join(_OWN))
_LAST = ("study.db", "driver.json")  # by them a deletion that was interrupted is found, and repeated
_SHOWN = 3


def foreign(names: Iterable[str]) -> list[str]:
    """Those files of a study's folder, by their paths in it, that are not the study's."""
    return [name for name in names if not _IS_OWN.fullmatch(name)]


def _everything(folder: Folder) -> list[str]:
    """Its files, and in a directory also links, pipes and whatever else somebody put there."""
    if not isinstance(folder, LocalFolder):
        return folder.names()
    there = (path for path in folder.path.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(str(path.relative_to(folder.path)) for path in there)


def require_own(folder: Folder, option: str) -> None:
    """Refuses a folder with somebody's files in it.

    Raises:
        UsageError: Names some of them.
    """
    if isinstance(folder, LocalFolder) and folder.path.is_symlink():
        raise UsageError(f"{option}: {folder} is a link; give the place where it leads to, or remove it")
    if others := foreign(_everything(folder)):
        some = ", ".join(others[:_SHOWN]) + (f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else "")
        raise UsageError(
            f"{option}: {folder} holds files that are not the study's ({some}); choose another place, or name"
        )


def require_free_name(name: str) -> None:
    """Refuses a name that a home, or a storage, needs itself.

    Raises:
        UsageError: It is one of those.
    """
    if name.lower() in RESERVED:
        raise UsageError(f"--name {name}: other things are kept under that name; choose another --name")


def remove_own(folder: Folder, say: Callable[[str], None], *, all_but_last: bool = False) -> None:
    """Removes what is the study's, and the folder if nothing else is in it; can be repeated.

    Args:
        all_but_last: Leave what tells that a study is there.
    """
    names = _everything(folder)
    others = set(foreign(names))
    own = sorted(set(names) - others, key=lambda name: (name.startswith(_LAST), name))
    for name in own:
        if not (all_but_last and name.startswith(_LAST)):
            folder.remove(name)
    folder.prune()
    if all_but_last:
        return
    if not others:
        say(f"Deleted {folder}")
    else:
        say(f"Left in {folder}: {', '.join(sorted(others)[:_SHOWN])}{' …' if len(others) > _SHOWN else ''}")
