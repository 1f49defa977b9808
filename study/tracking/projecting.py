"""When Optuna's tables are brought up to date, and what becomes of a failure; how is in `optuna_projection`."""

import time
from typing import TYPE_CHECKING

from study.errors import LeaseLost, StudyNotFound
from study.ledger import Ledger
from study.tracking.error_log import ErrorLog

if TYPE_CHECKING:
    from study.tracking.optuna_projection import OptunaProjection


class Projection:
    """Optuna's tables, brought up to date every few seconds; a failure is logged and tried again."""

    PERIOD_S = 3.0
    LAST_TRIES, PAUSE_S = 5, 0.5

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._optuna: OptunaProjection | None = None
        self._next = 0.0
        self._log = ErrorLog()

    def update(self, *, last: bool = False) -> bool:
        """Projects what is new, if it is time for it; `last` does not wait for that. False if it failed."""
        if not last and time.monotonic() < self._next:
            return True
        try:
            if self._optuna is None:
                from study.tracking.optuna_projection import OptunaProjection

                self._optuna = OptunaProjection(self._ledger)
            self._optuna.sync()
        except (LeaseLost, StudyNotFound):
            raise
        except Exception as error:
            self._log.note(error)
            self._optuna = None
        self._next = time.monotonic() + self.PERIOD_S
        return self._optuna is not None

    def insist(self) -> bool:
        """Projects what is new, with a few tries. Whether one succeeded."""
        for _ in range(self.LAST_TRIES):
            time.sleep(self.PAUSE_S)
            if self.update(last=True):
                return True
        return False
