"""Where a study is: its home, its ledger, its tracking store. What every command's shared options say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_HOME = Path("studies")


@dataclass(frozen=True)
class Place:
    """The shared options of all commands; None means: inside the home."""

    home: Path = DEFAULT_HOME
    ledger: str | None = None
    tracking_uri: str | None = None
    storage: str | None = None

    def run_fields(self) -> dict[str, Any]:
        """As fields of `RunConfig`; what was not given is left out, the home never is."""
        given = {"ledger": self.ledger, "tracking_uri": self.tracking_uri, "storage": self.storage}
        return {"home": self.home} | {name: value for name, value in given.items() if value is not None}

    def ledger_url(self, name: str) -> str:
        """The database that holds the study called `name`."""
        return self.ledger or f"sqlite:///{(self.home / name).absolute() / 'study.db'}"

    def tracking(self) -> str:
        """The MLflow store."""
        return self.tracking_uri or f"sqlite:///{self.home.absolute() / 'mlflow.db'}"

    def studies(self) -> list[str]:
        """Names of the studies whose folders lie in the home, sorted; [] where there is no home."""
        if not self.home.is_dir():
            return []
        marks = ("study.db", "study.yaml")
        return sorted(path.name for path in self.home.iterdir() if any((path / mark).is_file() for mark in marks))
