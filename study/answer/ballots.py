"""From what trials recorded of each example to votes: conditions and arms apart, one vote a distinct dense network."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from study.answer.votes import Votes
from trainables.data.conditions import NOISES

ARMS = ("replicate", "control")
# What may differ between networks whose votes are counted together.
_POOLED = ("data.subset",)
# Means of what was seen while the dense networks trained.
_FOLLOWED = ("learned", "forgotten")


@dataclass(frozen=True)
class Ballot:
    """The votes of one condition and arm, or why they can't be counted together.

    Attributes:
        condition: Dotted field → value, of all fields of the data that differ within the study; {} where none does.
        arm: `replicate` or `control`.
        votes: None where networks have other labels than one another.
        rule: Whether changed labels are as much a rule of the inputs as the true ones: renamed, not wrong.
    """

    condition: Mapping[str, Any]
    arm: str
    votes: Votes | None
    rule: bool = False


class _Mean:
    """A running mean for each example, over those networks that count."""

    def __init__(self) -> None:
        self._sum: Any = 0.0
        self._count: Any = 0

    def add(self, values: npt.NDArray[Any], counted: npt.NDArray[np.bool_]) -> None:
        """Values [R, n] of R networks."""
        self._sum = self._sum + np.where(counted, values, 0).sum(axis=0)
        self._count = self._count + counted.sum(axis=0)

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """[n], nan where none counted."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self._sum / self._count, dtype=np.float64)


@dataclass
class _Box:
    label: npt.NDArray[np.int64]
    true_label: npt.NDArray[np.int64]
    same: bool = True
    given: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    right: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    truly: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    tested: list[npt.NDArray[np.bool_] | None] = field(default_factory=list)
    cells: set[str] = field(default_factory=set)
    means: dict[str, _Mean] = field(default_factory=dict)

    def put(self, table: pd.DataFrame, unit: str, depth: int, tested: npt.NDArray[np.bool_] | None) -> None:
        """Adds the networks of a trial; of trials that share dense networks only the first has a vote."""
        count = len(self.label)

        def matrix(name: str) -> npt.NDArray[Any]:
            return table[name].to_numpy().reshape(count, -1).T

        labels, given, right = matrix("label"), matrix("subset").astype(bool), matrix("right").astype(bool)
        self.same = self.same and bool((labels == self.label).all())
        lost = matrix("lost_at").astype(np.float64) / (depth + 1)
        self._mean("lost_at").add(np.where(np.isnan(lost), 1.0, lost), given & right)
        if unit in self.cells:
            return
        self.cells.add(unit)
        self.given.append(given)
        self.right.append(right)
        self.truly.append(matrix("prediction") == self.true_label)
        self.tested.append(tested)
        if "learned" not in table.columns:
            return
        learned = ~np.isnan(matrix("learned").astype(np.float64))  # what was never right was not forgotten either
        for name in _FOLLOWED:
            values = matrix(name).astype(np.float64)
            self._mean(name).add(values, given & learned & ~np.isnan(values))

    def _mean(self, name: str) -> _Mean:
        return self.means.setdefault(name, _Mean())

    def votes(self) -> Votes | None:
        """All of them."""
        if not self.same:
            return None
        given, right, truly = (np.concatenate(parts) for parts in (self.given, self.right, self.truly))
        means = {name: one.mean for name, one in self.means.items()}
        known = [one for one in self.tested if one is not None]
        tested = np.concatenate(known) if len(known) == len(self.tested) else None
        return Votes(given, right, truly, self.label, self.true_label, means, tested)


def ballots(
    tables: Iterable[tuple[Any, pd.DataFrame]],
    tested: Callable[[Any], npt.NDArray[np.bool_] | None] = lambda trial: None,
) -> list[Ballot]:
    """Counts what trials recorded, one trial after another.

    Args:
        tables: Trials, each with `params`, `cell` and `number`, and the content of its examples.parquet.
        tested: Trial → whether each of its networks is right on each test example, in the order of an example's rows.
    """
    boxes: dict[tuple[tuple[tuple[str, str], ...], str], _Box] = {}
    conditions: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for trial, table in tables:
        own = {name: v for name, v in trial.params.items() if name.startswith("data.") and name not in _POOLED}
        key = tuple((name, str(value)) for name, value in sorted(own.items()))
        conditions[key] = own
        depth, told = int(trial.params.get("compression.depth", 0)), tested(trial)
        for arm in ARMS:
            here = (table["arm"] == arm).to_numpy()
            mine = table[here]
            if mine.empty:
                continue
            if (key, arm) not in boxes:
                first = mine[~mine["example"].duplicated()]
                label, true_label = (first[name].to_numpy(dtype=np.int64) for name in ("label", "true_label"))
                boxes[key, arm] = _Box(label, true_label)
            of_arm = None if told is None else told[here[: len(told)]]
            boxes[key, arm].put(mine, trial.cell or f"trial {trial.number}", depth, of_arm)
    fields = {name for own in conditions.values() for name in own}
    differ = [name for name in sorted(fields) if len({str(own.get(name)) for own in conditions.values()}) > 1]
    counted = [
        Ballot({name: conditions[key].get(name) for name in differ}, arm, box.votes(), _follows_rule(conditions[key]))
        for (key, arm), box in boxes.items()
    ]
    return sorted(counted, key=lambda ballot: [_place(value) for value in ballot.condition.values()])


def _follows_rule(condition: Mapping[str, Any]) -> bool:
    kind = NOISES.get(str(condition.get("data.noise_kind", "uniform")))
    return kind.leaves_rule and bool(condition.get("data.label_noise"))


def _place(value: Any) -> tuple[bool, float, str]:
    """Where a condition stands among others: numbers by size, before words by their letters."""
    is_number = isinstance(value, int | float)
    return (not is_number, float(value) if is_number else 0.0, "" if is_number else str(value))
