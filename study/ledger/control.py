"""The part of the ledger that is about what people ask for: budget, stop, trials of their own, another try."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Engine

from study.config import StudyConfig
from study.ledger import files, inputs, studies, trials
from study.ledger.connection import writing
from study.ledger.files import Listed, NewFile
from study.ledger.inputs import Inputs
from study.ledger.outage import outlasting
from study.ledger.rows import Proposal, now_ms
from study.ledger.studies import Stop
from trainables.record import Record


class Control:
    """Methods of `Ledger`."""

    _engine: Engine
    config: StudyConfig
    uid: str

    @property
    def name(self) -> str:
        """Of the study."""
        raise TypeError("the ledger knows")

    def _writing(self, what: str) -> AbstractContextManager[Connection]:
        raise TypeError("the ledger knows")

    @outlasting
    def remeasured(self, number: int, names: Sequence[str], found: Record, results: Sequence[NewFile]) -> None:
        """Adds what was measured of a COMPLETE trial afterwards, in one transaction, and queues it for tracking.

        Args:
            number: Of the trial.
            names: Of the measures; what was known of them before goes.
            found: Metrics and notes that come beside those of its summary.
            results: Files that take the place of its earlier ones; these come back if it all comes to nothing, at the
                next `acquire` if this process is killed.
        """
        directory = self.config.directory

        def known() -> list[Listed]:
            with self._engine.connect() as connection:
                return files.listed(connection, self.name, [number])

        files.set_aside(directory, results)
        try:
            with self._writing("remeasure") as connection:
                for new in results:
                    files.put(connection, self.name, new)
                trials.add_measured(connection, self.name, number, names, found, now_ms=now_ms())
        finally:
            files.put_back(directory, known)

    # From any process

    def request_stop(self, *, drain: bool = False) -> None:
        """Asks the running driver to stop; the next `acquire` forgets it.

        Args:
            drain: Let running trials end first.
        """
        with writing(self._engine) as connection:
            studies.request_stop(connection, self.name, "drain" if drain else "now")

    def stop_requested(self) -> Stop:
        """What someone asked of the driver: "now", "drain", or nothing ("")."""
        with self._engine.connect() as connection:
            return studies.stop_requested(connection, self.name)

    def add(self, configurations: Sequence[Mapping[str, Any]], role: str = "explore") -> None:
        """Puts configurations (dotted name → value) into the queue; a driver makes trials of them (`take_added`).

        Args:
            role: `explore`, or `design` for what runs again to be counted.
        Raises:
            ValueError: One of them is no valid trial.
        """
        for params in configurations:
            self.config.space.config(params, self.config.seed)
        if configurations:
            with writing(self._engine) as connection:
                studies.add(connection, self.name, configurations, role)

    @outlasting
    def added_waiting(self) -> int:
        """Configurations that no driver has taken yet. Cheap."""
        with self._engine.connect() as connection:
            return studies.added_waiting(connection, self.name)

    def waiting(self) -> list[tuple[dict[str, Any], str]]:
        """Configurations that no driver has taken yet, each with the role that its trial will have."""
        with self._engine.connect() as connection:
            return studies.waiting(connection, self.name)

    def begun(self) -> int:
        """How many trials have ever run: less the budget can't become. Cheap."""
        with self._engine.connect() as connection:
            return trials.begun(connection, self.name)

    def inputs(self) -> Inputs:
        """What trials read from files, as recorded: what names an input → file → digest; {} if nothing was."""
        with self._engine.connect() as connection:
            return inputs.read(connection, self.name)

    def record_inputs(self, now: Inputs) -> None:
        """Stores what trials read from files, from now on the measure for later runs."""
        with writing(self._engine) as connection:
            inputs.record(connection, self.name, now)

    # From the driver

    def set_trials(self, n: int) -> None:
        """Sets the number of trials in total. What waits beyond it is kept, and runs once it grows again."""
        self._save(StudyConfig.model_validate(self.config.model_dump() | {"trials": n}))

    @outlasting
    def take_added(self) -> list[int]:
        """Makes trials of the configurations that were added; the budget grows by as many. Their numbers."""
        with self._writing("take added") as connection:
            taken = studies.take_added(connection, self.name)
            proposals = [Proposal(params, role=role, added=True) for params, role in taken]
            numbers = trials.propose(connection, self.config, self.uid, proposals, now_ms())
            more = {"trials": self.config.trials + len(numbers), "added": self.config.added + len(numbers)}
            config = self.config.model_copy(update=more)
            studies.save(connection, config)
        self.config = config
        return numbers

    def retry_failed(self) -> list[int]:
        """FAILED → QUEUED: the same numbers, new attempts. Returns them; other trials stay as they are."""
        with self._writing("retry") as connection:
            numbers = trials.numbers(connection, self.name, ("FAILED",))
            trials.retry(connection, self.name, numbers, now_ms())
        return numbers

    def _save(self, config: StudyConfig) -> None:
        with self._writing("save") as connection:
            studies.save(connection, config)
        self.config = config
