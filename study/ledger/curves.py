"""The part of the ledger that reads what trials reported step by step."""

from collections.abc import Collection

from sqlalchemy import Engine

from study.ledger import steps
from study.ledger.rows import Progress
from trainables.record import Record


class Curves:
    """Methods of `Ledger`."""

    _engine: Engine

    @property
    def name(self) -> str:
        """Of the study."""
        raise TypeError("the ledger knows")

    def steps(self, number: int) -> list[Record]:
        """The steps of a trial (without networks), dense, level, summary, of the newest attempt that reported any."""
        with self._engine.connect() as connection:
            return steps.of_trial(connection, self.name, number)

    def curves(self, numbers: Collection[int] | None = None) -> dict[int, list[Record]]:
        """Trial number → its steps, for all trials that reported any (or those among `numbers`)."""
        with self._engine.connect() as connection:
            return steps.of_trials(connection, self.name, numbers)

    def dense_values(self, metric: str) -> list[tuple[int, int, float]]:
        """(trial number, epoch, value) of all dense records of all trials that have the metric, sorted."""
        with self._engine.connect() as connection:
            return steps.dense_values(connection, self.name, metric)

    def progress(self) -> list[Progress]:
        """The last step of each running trial."""
        with self._engine.connect() as connection:
            return steps.progress(connection, self.name)
