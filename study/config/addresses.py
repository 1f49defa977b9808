"""Places as others are told them: paths as the URLs of databases, and commands that find a study again."""

import itertools
import os
import shlex
from pathlib import Path

from study.config.environment import said_in, usual_home
from study.passwords import mask_passwords

STORE = "mlflow.db"


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file, whatever its path holds, without importing SQLAlchemy to write it.

    MLflow takes what follows `sqlite:///` for a path and makes the folder that it names: where the URL has to spell the
    path in another way, it is of a kind that MLflow leaves alone.
    """
    there = str(path)
    spelt = there.replace("%", "%25").replace("?", "%3F")
    return f"sqlite:///{there}" if spelt == there else f"sqlite+pysqlite:///{spelt}"


def own_store(home: Path, tracking_uri: str | None) -> Path | None:
    """The SQLite file that holds MLflow's runs of a home; None where MLflow is somewhere else."""
    return home.absolute() / STORE if tracking_uri is None else None


def store_uri(home: Path, tracking_uri: str | None) -> str:
    """The MLflow store of a home: the one that was named, or its own."""
    return tracking_uri or sqlite_url(home.absolute() / STORE)


def command_line(verb: str, *words: str, home: Path, ledger: str | None) -> str:
    """`ockham VERB …` as it can be pasted into a shell in this folder.

    Args:
        words: What follows the verb, not quoted yet.
        home: Named unless it is the usual one; so is the ledger.
    """
    options: list[str] = []
    if home.absolute() != usual_home().absolute():
        options += ["--home", _from_here(home.absolute())]
    if ledger is not None and ledger != said_in("OCKHAM_LEDGER")():
        options += ["--ledger", mask_passwords(ledger)]
    names = list(itertools.takewhile(lambda word: not word.startswith("-"), words))
    return shlex.join(["ockham", verb, *names, *options, *words[len(names) :]])


def _from_here(path: Path) -> str:
    here = Path(os.curdir).absolute()
    short = str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
    return str(path) if short.startswith("-") else short
