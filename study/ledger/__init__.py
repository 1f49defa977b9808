"""The ledger: trials, attempts, per-step results, the lease and the outbox of a study, in SQLite or PostgreSQL."""

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
