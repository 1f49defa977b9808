"""What goes into the ledger and what comes out of it."""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["QUEUED", "RUNNING", "COMPLETE", "PRUNED", "FAILED"]
STATES: tuple[State, ...] = ("QUEUED", "RUNNING", "COMPLETE", "PRUNED", "FAILED")
ENDED: tuple[State, ...] = ("COMPLETE", "PRUNED", "FAILED")


@dataclass(frozen=True)
class Proposal:
    """A trial to run.

    Attributes:
        params: Dotted name → value of what is spanned (or given explicitly); the rest comes from the study's base.
        role: `design` or `explore`.
        seen: Numbers of the ended trials that an adaptive sampler had been told, in the short form of
            `study.config.seen`, e.g. "0-41,43"; None for all others.
        number: The trial number that it was computed for; the ledger refuses to give it another one.
        added: Whether someone put it into the queue by hand.
        cell: The dense cell that it belongs to; None: one of its own.
    """

    params: dict[str, Any]
    role: str = "design"
    seen: str | None = None
    number: int | None = None
    added: bool = False
    cell: str | None = None

    def cell_as(self, number: int, draws: str) -> str | None:
        """The dense cell of the trial with this number; None where draws are keyed by numbers."""
        return None if draws == "number" else self.cell or f"trial {number}"


@dataclass(frozen=True)
class TrialRow:
    """A trial as the ledger knows it.

    Attributes:
        params: Every field of its `TrialConfig`, by dotted name.
        metrics: Of an ended trial: the last dense record, the last value of each level metric and the summary; of a
            running one: what there is so far.
        attempts: Executions begun. `charged`: those that ended in a worker death held against the trial.
        duration_s: Wall seconds over all attempts, once ended.
        proposed: The part of `params` that was proposed.
        seen, added: See `Proposal`.
        cell: The dense cell, e.g. `cell 3`, or `trial 7` where it has one of its own; None in a study from before
            there were cells, all of whose trials have networks of their own.
    """

    number: int
    state: State
    role: str
    params: dict[str, Any]
    metrics: dict[str, float]
    notes: dict[str, str]
    attempts: int
    uid: str
    mlflow_run_id: str | None
    fingerprint: str
    duration_s: float | None
    error: str | None
    traceback: str | None = None
    charged: int = 0
    proposed: dict[str, Any] = field(default_factory=dict)
    seen: str | None = None
    created_ms: int = 0
    started_ms: int | None = None
    ended_ms: int | None = None
    added: bool = False
    cell: str | None = None

    @property
    def is_repetition(self) -> bool:
        """Whether somebody had the configuration of another trial run again, to be counted."""
        return self.added and self.role == "design"

    @property
    def judges_its_configuration(self) -> bool:
        """Whether how the trial ended is its configuration's doing and would come again: undefined or not, it ran to
        its end, or it diverged, or ran out of memory. A worker or node that was lost says nothing about it."""
        if self.state == "COMPLETE":
            return True
        error = self.error or ""
        return self.state == "FAILED" and ("diverged" in error.lower() or "out of memory" in error.lower())

    def as_json(self) -> dict[str, Any]:
        """The row of `ockham trials --format json`."""
        return {
            "number": self.number,
            "state": self.state,
            "role": self.role,
            "params": self.params,
            "metrics": self.metrics,
            "notes": self.notes,
            "attempts": self.attempts,
            "uid": self.uid,
            "mlflow_run_id": self.mlflow_run_id,
            "fingerprint": self.fingerprint,
            "cell": self.cell,
            "duration_s": self.duration_s,
            "error": self.error,
        }


@dataclass(frozen=True)
class OutboxRow:
    """One thing that MLflow has not heard of yet, in the order in which it happened.

    Attributes:
        kind: `start` {attempt}, `step` {stage, step, metrics, notes}, `end` {state, error, metrics, notes}, `retry` {}
            (a failed trial is going to run again).
        recorded_ms: Wall-clock time at which it was recorded, frozen, so that a replay is recognised as one.
    """

    id: int
    number: int
    kind: Literal["start", "step", "end", "retry"]
    payload: dict[str, Any]
    recorded_ms: int


@dataclass(frozen=True)
class RefusedValue:
    """A value that MLflow refuses for good: `metric val/loss at step 3`, and why."""

    what: str
    why: str

    @property
    def name(self) -> str:
        """What the metric, parameter or tag is called."""
        return self.what.partition(" ")[2].partition(" at step ")[0]


@dataclass(frozen=True)
class LastStep:
    """Where a running trial is: the last step that its newest attempt reported."""

    number: int
    stage: str
    step: int
    recorded_ms: int


def now_ms() -> int:
    """Milliseconds since 1970, for people; nothing is decided by it."""
    return time.time_ns() // 1_000_000
