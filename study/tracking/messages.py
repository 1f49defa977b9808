"""What the messages about one trial come to, in MLflow's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from study.ledger import OutboxRow

if TYPE_CHECKING:
    from mlflow.entities import Metric


@dataclass
class PendingMessages:
    """What messages about one trial come to; `reopens`: before all that is left, its run has to be opened again."""

    metrics: "list[Metric]" = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    end: OutboxRow | None = None
    reopens: bool = False


def pending_messages(messages: Sequence[OutboxRow]) -> PendingMessages:
    """What is left of messages, in their order."""
    said = PendingMessages()
    for message in messages:
        if message.kind == "retry":
            said.reopens, said.end = True, None
            said.tags["ockham.state"] = "RUNNING"
            said.tags.pop("ockham.error", None)
        elif message.kind == "start":
            said.tags["ockham.attempts"] = str(message.payload["attempt"])
        elif message.kind == "step":
            said.metrics += _metrics(message.payload["metrics"], message.payload["step"], message.recorded_ms)
            said.tags |= message.payload.get("notes", {})
        else:
            said.end = message
            said.tags["ockham.state"] = message.payload["state"]
            if message.payload.get("error"):
                said.tags["ockham.error"] = message.payload["error"]
    return said


def _metrics(values: Mapping[str, float], step: int, timestamp_ms: int) -> "list[Metric]":
    from mlflow.entities import Metric

    return [Metric(name, value, timestamp_ms, step) for name, value in values.items()]
