"""What a trial reports."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    import numpy.typing as npt

T = TypeVar("T")
Stage = Literal["dense", "level", "summary"]
LATENCY = "cost/latency_ms"
# A margin in examples.parquet is a whole number of these, in one byte: up to ±31.75.
MARGIN_STEP = 0.25
# In arrays.npz: whether dense networks are right on each test example, where examples are recorded.
TESTED = "test/right"
# In place of the level at which an example is lost.
NOT_LOST = -1


@dataclass(frozen=True)
class Record:
    """One report of a running trial.

    Args:
        stage: `dense` while and after the dense networks train, `level` after each compression step, `summary` once.
        step: The epoch (dense), the compression level, 0 for the dense network (level), or 0 (summary).
        metrics: A quantity that is undefined is absent: what is given and not finite is left out and noted.
        notes: Text, e.g. `train/stop_reason`, or `undefined/<metric>` with the reason.
        networks: Summary only: all rows of the trial's `networks.parquet` (JSON types); None for what is not finite.
        layers: Summary only: all rows of its `layers.parquet`.
        arrays: Summary only: name → array, the content of its `arrays.npz`.
        examples: Summary only: the columns of its `examples.parquet`, see `trainables.recording`.

    Raises:
        ValueError: Any of the last four are given before the summary.
    """

    stage: Stage
    step: int
    metrics: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    networks: tuple[dict[str, Any], ...] = ()
    layers: tuple[dict[str, Any], ...] = ()
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict, compare=False)
    examples: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        undefined = {f"undefined/{n}": f"came out as {v}" for n, v in self.metrics.items() if finite(v) is None}
        metrics = {name: value for name, value in self.metrics.items() if finite(value) is not None}
        rows = tuple({name: finite(value) for name, value in row.items()} for row in self.networks)
        for name, value in {"metrics": metrics, "notes": undefined | self.notes, "networks": rows}.items():
            object.__setattr__(self, name, value)
        if (self.networks or self.layers or self.arrays or self.examples) and self.stage != "summary":
            raise ValueError(f"rows of networks belong to the summary, not to {self.stage} {self.step}")

    def state(self) -> dict[str, Any]:
        """For a checkpoint, which never holds a summary; `Record(**state)` is this again."""
        return {"stage": self.stage, "step": self.step, "metrics": self.metrics, "notes": self.notes}


def finite(value: T) -> T | None:
    """The value; None, which is undefined, for a float that is not finite. All numbers enter records through here."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
