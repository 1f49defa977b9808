"""The ledger: trials, attempts, per-step results, the lease and the outbox of a study, in SQLite or PostgreSQL.

The names below are imported when first used: saying where a ledger lies (`place`) needs no database library.
"""

from typing import TYPE_CHECKING

from study.lazy import on_first_use

if TYPE_CHECKING:
    from study.errors import LeaseHeld, LeaseLost, StaleAttempt, StudyMismatch, StudyNotFound
    from study.ledger.ledger import Ledger
    from study.ledger.rows import ENDED, STATES, LastStep, OutboxRow, Proposal, State, TrialRow

__all__ = [
    "ENDED",
    "STATES",
    "LastStep",
    "LeaseHeld",
    "LeaseLost",
    "Ledger",
    "OutboxRow",
    "Proposal",
    "StaleAttempt",
    "State",
    "StudyMismatch",
    "StudyNotFound",
    "TrialRow",
]

__getattr__ = on_first_use(
    __name__,
    {
        "study.errors": ("LeaseHeld", "LeaseLost", "StaleAttempt", "StudyMismatch", "StudyNotFound"),
        "study.ledger.ledger": ("Ledger",),
        "study.ledger.rows": ("ENDED", "STATES", "OutboxRow", "LastStep", "Proposal", "State", "TrialRow"),
    },
)
