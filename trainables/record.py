"""What a trial reports."""

import math
from dataclasses import dataclass, field
from typing import Any, Literal

Stage = Literal["dense", "level", "summary"]


@dataclass(frozen=True)
class Record:
    """One report of a running trial.

    Args:
        stage: `dense` while and after the dense networks train, `level` after each compression step, `summary` once.
        step: The epoch (dense), the compression level, 0 for the dense network (level), or 0 (summary).
        metrics: Finite numbers only; a quantity that is undefined is absent.
        notes: Text, e.g. `train/stop_reason`, or `undefined/<metric>` with the reason.
        networks: Summary only: all rows of the trial's `networks.parquet` (JSON types).

    Raises:
        ValueError: A metric is not finite, or networks are given before the summary.
    """

    stage: Stage
    step: int
    metrics: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    networks: tuple[dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        bad = {name: value for name, value in self.metrics.items() if not math.isfinite(value)}
        if bad:
            raise ValueError(f"{self.stage} {self.step}: metrics must be finite, undefined ones left out: {bad}")
        if self.networks and self.stage != "summary":
            raise ValueError(f"rows of networks belong to the summary, not to {self.stage} {self.step}")
