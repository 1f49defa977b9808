"""The ledger: trials, attempts, per-step results, the lease and the outbox of a study, in SQLite or PostgreSQL.

The names below are imported when first used: saying where a ledger lies (`place`) needs no database library.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from study.errors import LeaseHeld, LeaseLost, StaleAttempt, StudyMismatch, StudyNotFound
    from study.ledger.ledger import Ledger
    from study.ledger.rows import ENDED, STATES, OutboxRow, Progress, Proposal, State, TrialRow

__all__ = [
    "ENDED",
    "STATES",
    "LeaseHeld",
    "LeaseLost",
    "Ledger",
    "OutboxRow",
    "Progress",
    "Proposal",
    "StaleAttempt",
    "State",
    "StudyMismatch",
    "StudyNotFound",
    "TrialRow",
]

_HOMES = {
    "study.errors": ("LeaseHeld", "LeaseLost", "StaleAttempt", "StudyMismatch", "StudyNotFound"),
    "study.ledger.ledger": ("Ledger",),
    "study.ledger.rows": ("ENDED", "STATES", "OutboxRow", "Progress", "Proposal", "State", "TrialRow"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)
