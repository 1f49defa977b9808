"""The part of the ledger that is about damage: what is not what was written, and running such trials again."""

import json
from collections.abc import Collection
from contextlib import AbstractContextManager

from sqlalchemy import Connection, Engine, Table, delete, select

from study.config import StudyConfig
from study.errors import Damaged
from study.ledger import files, outbox, trials
from study.ledger.files import Listed
from study.ledger.outage import outlasting
from study.ledger.rows import now_ms
from study.ledger.schema import attempts, steps
from study.ledger.schema import trials as trial_table
from study.ledger.sealing import is_sound, reseal
from trainables.config import TrialConfig, unflatten


class Soundness:
    """Methods of `Ledger`."""

    _engine: Engine
    config: StudyConfig

    @property
    def name(self) -> str:
        """Of the study."""
        raise TypeError("the ledger knows")

    def _writing(self, what: str) -> AbstractContextManager[Connection]:
        raise TypeError("the ledger knows")

    @outlasting
    def files(self, numbers: Collection[int] | None = None) -> list[Listed]:
        """Files that hold results of ended trials, of all or of some. Trials of an earlier version list none."""
        with self._engine.connect() as connection:
            return files.listed(connection, self.name, numbers)

    def damaged_files(self) -> dict[str, tuple[int, str]]:
        """Name → (trial, what is wrong) of every listed file that is not what was written. Reads them all."""
        directory = self.config.directory
        looked_at = {file.name: (file.number, file.trouble_in(directory)) for file in self.files()}
        return {name: found for name, found in looked_at.items() if found[1]}

    def damaged_trials(self, *, steps_too: bool) -> list[int]:
        """Trials with a row that is not what was written.

        Args:
            steps_too: Look at every step as well, which takes seconds for thousands of trials.
        """
        tables: tuple[Table, ...] = (trial_table, attempts, steps) if steps_too else (trial_table, attempts)
        unsound: set[int] = set()
        with self._engine.connect() as connection:
            for table in tables:
                rows = connection.execute(select(table).where(table.c.study == self.name))
                unsound |= {row.number for row in rows if not is_sound(table, row)}
        return sorted(unsound)

    def unsealed(self) -> int:
        """Trials of an earlier version, whose rows carry no checksum."""
        with self._engine.connect() as connection:
            query = select(trial_table.c.number).where(trial_table.c.study == self.name, trial_table.c.seal.is_(None))
            return len(connection.execute(query).all())

    def mend_outbox(self) -> list[int]:
        """Tells tracking again, from the trials themselves, what a damaged message was about; which trials."""
        with self._engine.connect() as connection:
            numbers = outbox.unsound(connection, self.name)
        if numbers:
            with self._writing("tell again") as connection:
                for number in numbers:
                    outbox.again(connection, self.name, number)
        return numbers

    def repair(self, numbers: Collection[int]) -> None:
        """Ended → QUEUED, for trials whose results were damaged: they run again under their numbers.

        Steps that are what was written stay, so that what is reported again leaves no trace in tracking.

        Raises:
            Damaged: It can't be known any more what one of them was to do.
        """
        with self._writing("repair") as connection:
            for number in numbers:
                self._require_configuration(connection, number)
                own = (steps.c.study == self.name) & (steps.c.number == number)
                for row in connection.execute(select(steps).where(own)).all():
                    if not is_sound(steps, row):
                        this = (steps.c.stage == row.stage) & (steps.c.step == row.step)
                        connection.execute(delete(steps).where(own, this))
                reseal(connection, attempts, (attempts.c.study == self.name) & (attempts.c.number == number))
            files.forget(connection, self.name, numbers)
            trials.retry(connection, self.name, sorted(numbers), now_ms())

    def _require_configuration(self, connection: Connection, number: int) -> None:
        """A row with a checksum that fails may be repaired where its configuration has its own."""
        own = (trial_table.c.study == self.name) & (trial_table.c.number == number)
        row = connection.execute(select(trial_table).where(own)).one()
        if is_sound(trial_table, row):
            return
        try:
            flat, proposed = json.loads(row.params), json.loads(row.proposed)
            known = TrialConfig.model_validate(unflatten(flat)).fingerprint() == row.fingerprint
            known = known and self.config.space.config(proposed, self.config.seed).fingerprint() == row.fingerprint
        except ValueError:
            known = False
        if not known:
            raise Damaged(f"the ledger of {self.name!r} is damaged: what trial {number} was to do is lost", self.name)
