"""The door to a study's files: results that come with a trial's summary, and checkpoints that nobody needs any more."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from study.clock import Clock
from study.execution.results import result_files

if TYPE_CHECKING:
    from study.ledger.files import NewFile
    from trainables.record import Record


class Files(Protocol):
    """What a run does to the files of its study."""

    def results(
        self, number: int, records: "Sequence[Record]", tired: Callable[[], bool]
    ) -> "AbstractContextManager[list[NewFile]]":
        """Writes what the records bring, under other names; yields what gives the files their own.

        Args:
            number: Of the trial.
            tired: Whether to wait no longer for room.
        Raises:
            NoRoom: There was none for long.
        """

    def with_checkpoints(self) -> set[int]:
        """Trials that have checkpoints on this machine."""

    def drop_checkpoints(self, numbers: Iterable[int]) -> None:
        """Removes the checkpoints of trials, as far as there are any."""


class StudyFolder:
    """Files in `<home>/<study>`.

    Args:
        directory: That folder.
        clock: That waiting for room goes by.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._trials, self._directory, self._clock = directory / "trials", directory, clock

    def results(
        self, number: int, records: "Sequence[Record]", tired: Callable[[], bool]
    ) -> "AbstractContextManager[list[NewFile]]":
        """See `Files`."""
        return result_files(self._directory, number, records, tired, clock=self._clock)

    def with_checkpoints(self) -> set[int]:
        """See `Files`."""
        folders = (folder.parent.name for folder in self._trials.glob("*/checkpoints") if folder.is_dir())
        return {int(name) for name in folders if name.isdigit()}

    def drop_checkpoints(self, numbers: Iterable[int]) -> None:
        """See `Files`."""
        for number in numbers:
            shutil.rmtree(self._trials / f"{number:04d}" / "checkpoints", ignore_errors=True)
