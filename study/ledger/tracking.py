"""The part of the ledger that the publisher uses: what tracking has to be told, and what it has been told."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import Connection, Engine, bindparam, select, update

from study.ledger import outbox
from study.ledger.rows import OutboxRow, Refused, now_ms
from study.ledger.schema import trials


class Tracking:
    """Methods of `Ledger`."""

    _engine: Engine

    @property
    def name(self) -> str:
        """Of the study."""
        raise TypeError("the ledger knows")

    def _writing(self, what: str) -> AbstractContextManager[Connection]:
        raise TypeError("the ledger knows")

    def outbox(self, limit: int = 1000) -> list[OutboxRow]:
        """The oldest messages that tracking has not confirmed."""
        with self._engine.connect() as connection:
            return outbox.read(connection, self.name, limit)

    def outbox_numbers(self) -> set[int]:
        """Trials about which tracking has not been told everything."""
        with self._engine.connect() as connection:
            return outbox.numbers(connection, self.name)

    def outbox_end(self) -> int:
        """Id of the newest message, 0 if none waits."""
        with self._engine.connect() as connection:
            return outbox.end(connection, self.name)

    def outbox_size(self) -> int:
        """Messages not yet confirmed."""
        with self._engine.connect() as connection:
            return outbox.size(connection, self.name)

    def delivered(self, ids: Sequence[int], *, runs: Mapping[int, str] | None = None) -> None:
        """Forgets messages that tracking has confirmed.

        Args:
            runs: Trial number → the MLflow run that was made for it with these messages.
        """
        with self._writing("delivered") as connection:
            _set_runs(connection, self.name, runs or {})
            outbox.delivered(connection, self.name, ids)

    def tell_again(self, number: int) -> None:
        """Queues all that is known of a trial, as it was when it was recorded, for a run that is yet to be made."""
        with self._writing("tell again") as connection:
            outbox.again(connection, self.name, number)

    def set_aside(self, number: int, values: Sequence[Refused]) -> None:
        """Keeps values of a trial that tracking refuses for good."""
        with self._writing("aside") as connection:
            outbox.set_aside(connection, self.name, number, values, now_ms())

    def aside(self) -> dict[int, list[Refused]]:
        """Trial number → its values that tracking refuses for good."""
        with self._engine.connect() as connection:
            return outbox.aside(connection, self.name)

    def mlflow_runs(self) -> dict[int, str]:
        """Trial number → id of its MLflow run, for those that have one. Cheap."""
        with self._engine.connect() as connection:
            query = select(trials.c.number, trials.c.mlflow_run_id).where(trials.c.study == self.name)
            return {row[0]: row[1] for row in connection.execute(query.where(trials.c.mlflow_run_id.is_not(None)))}

    def set_mlflow_run(self, number: int, run_id: str) -> None:
        """Remembers the MLflow run of a trial."""
        with self._writing("run id") as connection:
            _set_runs(connection, self.name, {number: run_id})


def _set_runs(connection: Connection, study: str, runs: Mapping[int, str]) -> None:
    if runs:
        own = (trials.c.study == study) & (trials.c.number == bindparam("trial"))
        rows = [{"trial": number, "run": run_id} for number, run_id in runs.items()]
        connection.execute(update(trials).where(own).values(mlflow_run_id=bindparam("run")), rows)
