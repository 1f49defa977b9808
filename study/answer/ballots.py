"""From what trials recorded of each example to votes: conditions and arms apart, one vote a distinct dense network."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from study.answer.memorisation import Votes

ARMS = ("replicate", "control")
# What may differ between networks whose votes are counted together.
_POOLED = ("data.subset",)


@dataclass(frozen=True)
class Ballot:
    """The votes of one condition and arm, or why they can't be counted together.

    Attributes:
        condition: Dotted field → value, of all fields of the data that differ within the study; {} where none does.
        arm: `replicate` or `control`.
        votes: None where networks have other labels than one another.
    """

    condition: Mapping[str, Any]
    arm: str
    votes: Votes | None


@dataclass
class _Box:
    label: npt.NDArray[np.int64]
    true_label: npt.NDArray[np.int64]
    same: bool = True
    given: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    right: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    truly: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    cells: set[str] = field(default_factory=set)
    lost: npt.NDArray[np.float64] | None = None
    lost_count: npt.NDArray[np.float64] | None = None

    def put(self, table: pd.DataFrame, unit: str, depth: int) -> None:
        """Adds the networks of a trial; of trials that share dense networks only the first has a vote."""
        count = len(self.label)

        def matrix(name: str) -> npt.NDArray[Any]:
            return table[name].to_numpy().reshape(count, -1).T

        labels, given, right = matrix("label"), matrix("subset").astype(bool), matrix("right").astype(bool)
        self.same = self.same and bool((labels == self.label).all())
        at = table["lost_at"].to_numpy(dtype=np.float64, na_value=np.nan).reshape(count, -1).T / (depth + 1)
        had = given & right
        lost = (np.where(np.isnan(at), 1.0, at) * had).sum(axis=0)
        self.lost = lost if self.lost is None else self.lost + lost
        self.lost_count = had.sum(axis=0) + (0 if self.lost_count is None else self.lost_count)
        if unit not in self.cells:
            self.cells.add(unit)
            self.given.append(given)
            self.right.append(right)
            self.truly.append(matrix("prediction") == self.true_label)

    def votes(self) -> Votes | None:
        """All of them."""
        if not self.same or self.lost is None or self.lost_count is None:
            return None
        with np.errstate(invalid="ignore"):
            lost_at = self.lost / self.lost_count
        stacked = (np.concatenate(parts) for parts in (self.given, self.right, self.truly))
        return Votes(*stacked, self.label, self.true_label, lost_at)


def ballots(tables: Iterable[tuple[Any, pd.DataFrame]]) -> list[Ballot]:
    """Counts what trials recorded, one trial after another.

    Args:
        tables: Trials, each with `params`, `cell` and `number`, and the content of its examples.parquet.
    """
    boxes: dict[tuple[tuple[tuple[str, str], ...], str], _Box] = {}
    conditions: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for trial, table in tables:
        own = {name: v for name, v in trial.params.items() if name.startswith("data.") and name not in _POOLED}
        key = tuple((name, str(value)) for name, value in sorted(own.items()))
        conditions[key] = own
        depth = int(trial.params.get("compression.depth", 0))
        for arm in ARMS:
            mine = table[(table["arm"] == arm).to_numpy()]
            if mine.empty:
                continue
            if (key, arm) not in boxes:
                first = mine[~mine["example"].duplicated()]
                boxes[key, arm] = _Box(*(first[n].to_numpy(dtype=np.int64) for n in ("label", "true_label")))
            boxes[key, arm].put(mine, trial.cell or f"trial {trial.number}", depth)
    fields = {name for own in conditions.values() for name in own}
    differ = [name for name in sorted(fields) if len({str(own.get(name)) for own in conditions.values()}) > 1]
    return [
        Ballot({name: conditions[key].get(name) for name in differ}, arm, box.votes())
        for (key, arm), box in boxes.items()
    ]
