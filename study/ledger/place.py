"""Where a study is: its home, its ledger, its tracking store. What every command's shared options say."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.config.addresses import command_line, own_store, sqlite_url, store_uri
from study.config.environment import said_in, usual_home
from study.errors import Damaged, UsageError
from study.passwords import mask_passwords
from study.trust import check_address

if TYPE_CHECKING:
    from study.ledger import Ledger


@dataclass(frozen=True)
class Place:
    """The shared options of all commands; None means: inside the home. Unless given they are the environment's."""

    home: Path = field(default_factory=usual_home)
    ledger: str | None = field(default_factory=said_in("OCKHAM_LEDGER"))
    tracking_uri: str | None = field(default_factory=said_in("OCKHAM_TRACKING_URI"))
    storage: str | None = field(default_factory=said_in("OCKHAM_STORAGE"))

    def __post_init__(self) -> None:
        """Raises a UsageError of an address that can't be one."""
        for name in ("ledger", "tracking_uri", "storage"):
            address: str | None = getattr(self, name)
            try:
                check_address(address or "")
            except ValueError as error:
                raise UsageError(f"--{name.replace('_', '-')} {error}") from None

    def run_fields(self) -> dict[str, Any]:
        """As fields of `RunConfig`; what was not given is left out, the home never is."""
        given = {"ledger": self.ledger, "tracking_uri": self.tracking_uri, "storage": self.storage}
        return {"home": self.home} | {name: value for name, value in given.items() if value is not None}

    def ledger_url(self, name: str) -> str:
        """The database that holds the study called `name`."""
        return self.ledger or sqlite_url((self.home / name).absolute() / "study.db")

    def store_uri(self) -> str:
        """Where MLflow's store is: the one that was named, or the home's own."""
        return store_uri(self.home, self.tracking_uri)

    @property
    def own_store(self) -> Path | None:
        """The home's own MLflow store, a SQLite file; None where MLflow is somewhere else."""
        return own_store(self.home, self.tracking_uri)

    def command(self, verb: str, *words: str) -> str:
        """`ockham VERB …`, to be pasted."""
        return command_line(verb, *words, home=self.home, ledger=self.ledger)

    def open(self, name: str) -> "Ledger":
        """The ledger of the study called `name`; its `config` says home and ledger as they are here.

        What is stored is where the last driver saw them: from another folder, or with the home on another machine.

        Raises:
            StudyNotFound: There is none; says which there are, and the closest.
            Damaged: There is one, and its ledger is gone or not what was written.
        """
        from study.ledger import Ledger, StudyNotFound
        from study.ledger.remains import refuse_remains, require_own
        from trainables.spelling import unknown

        there = self.studies()
        if self.ledger is None and name not in there:
            if not there:
                raise StudyNotFound(f"there is no study {name!r}: {self.home} holds none. Is --home right?")
            raise StudyNotFound([replace(unknown("study", name, there), heading=f"In {self.home} there are")])
        try:
            ledger = Ledger.open(self.ledger_url(name), name)
        except StudyNotFound:
            refuse_remains(self.home.absolute() / name, self.ledger and mask_passwords(self.ledger))
            raise
        try:
            require_own(self.home.absolute() / name, ledger.uid)
        except Damaged:
            ledger.close()
            raise
        run = ledger.config.run.with_home(self.home.absolute()).model_copy(update={"ledger": self.ledger})
        ledger.config = ledger.config.model_copy(update={"run": run})
        return ledger

    def studies(self) -> list[str]:
        """Names of the studies whose folders lie in the home, sorted; [] where there is no home."""
        if not self.home.is_dir():
            return []
        marks = ("study.db", "study.yaml", "snapshots")
        return sorted(path.name for path in self.home.iterdir() if any((path / mark).exists() for mark in marks))
