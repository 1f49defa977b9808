"""What measures say of networks that learned, beside those that memorised: one line a measure.

Learned are the controls (clean twins), memorised the replicates of trials that have any. The unit is the independent
dense training: its networks are averaged, and whether a measure tells them apart is asked inside it, so that neither
condition, criterion nor width can do so. Networks that did not fit their labels have neither learned nor memorised:
they are left out, and their twins with them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from study.answer.selection import counted_trials
from study.answer.units import units
from trainables.statistics import mean_ci95

PREFIX = "measure/"
_ARMS = {"control": "learned", "replicate": "memorised"}


@dataclass(frozen=True)
class Mean:
    """A mean over units, with the half width of its 95 % interval (Student's t); None where undefined."""

    mean: float | None
    ci95: float | None
    units: int

    @classmethod
    def from_values(cls, values: Sequence[float]) -> "Mean":
        """The mean of finite values, one a unit."""
        if not values:
            return cls(None, None, 0)
        mean, half, count = mean_ci95(values)
        return cls(mean, half, count)


@dataclass(frozen=True)
class MeasureRow:
    """One measure of dense networks.

    Attributes:
        name: `spectrum/alpha` and the like.
        learned, memorised: Over units, of clean twins and of the networks that were given noise.
        difference: learned − memorised, paired by unit.
        auc: Mean over units of the share of pairs of a learned and a memorised network of it in which the learned one's
            number is larger (ties count half): 1 or 0 tells them apart, .5 does not.
        says: What the measure is, in a line.
    """

    name: str
    learned: Mean
    memorised: Mean
    difference: Mean
    auc: Mean
    says: str = ""

    def as_json(self) -> dict[str, object]:
        """JSON types."""
        return asdict(self)


def measure_rows(trials: pd.DataFrame, networks: pd.DataFrame) -> list[MeasureRow]:
    """One row for each measure that any dense network has, in the order of their columns; [] where none fitted.

    Args:
        trials: All trials; design trials that ended COMPLETE count, or where there are none all that did.
        networks: One row a trial, arm, network and level.
    """
    rows = _measured_networks(trials, networks)
    rows = rows[_both_fit(rows)]
    columns = [name for name in rows.columns if name.startswith(PREFIX)]
    if rows.empty:
        return []
    has_twin = set(rows.loc[rows["arm"] == "control", "unit"])
    # Without a twin a network was given true labels only.
    learned = (rows["arm"] == "control") | ~rows["unit"].isin(has_twin)
    rows = rows.assign(kind=np.where(learned, "learned", "memorised"))
    says = sentences()
    return [_row(rows, column, says.get(column.removeprefix(PREFIX), "")) for column in columns]


def left_out(trials: pd.DataFrame, networks: pd.DataFrame) -> tuple[int, int]:
    """How many dense networks `measure_rows` leaves out, and of how many."""
    rows = _measured_networks(trials, networks)
    return len(rows) - int(_both_fit(rows).sum()), len(rows)


def _measured_networks(trials: pd.DataFrame, networks: pd.DataFrame) -> pd.DataFrame:
    """The dense networks of the trials that count, each once, with the unit that they belong to."""
    ended = counted_trials(trials) if len(trials) else trials
    if ended.empty and len(trials):
        ended = trials[trials["state"] == "COMPLETE"]
    if ended.empty or "trial" not in networks.columns or not any(name.startswith(PREFIX) for name in networks.columns):
        return pd.DataFrame()
    rows = networks[
        (networks["level"] == 0) & networks["arm"].isin(list(_ARMS)) & networks["trial"].isin(ended["number"])
    ]
    unit = dict(zip(ended["number"], units(ended), strict=True))
    return rows.assign(unit=rows["trial"].map(unit)).drop_duplicates(["unit", "arm", "network"])


def _both_fit(rows: pd.DataFrame) -> pd.Series:
    """Whether each network and its twin fitted what they were given; all did where that was not recorded."""
    if "interpolated" not in rows.columns:
        return pd.Series(True, index=rows.index)
    fits = rows["interpolated"].eq(True)
    return fits.groupby([rows["unit"], rows["network"]]).transform("all")


def _row(rows: pd.DataFrame, column: str, says: str) -> MeasureRow:
    numbers = pd.to_numeric(rows[column], errors="coerce")
    own = rows.assign(value=numbers)[numbers.notna()]
    means = own.groupby(["kind", "unit"])["value"].mean()
    of = {
        kind: means[kind] if kind in means.index.get_level_values(0) else pd.Series(dtype=float)
        for kind in _ARMS.values()
    }
    differences = (of["learned"] - of["memorised"]).dropna()
    shares = _shares(own[own["unit"].isin(differences.index)])
    return MeasureRow(
        column.removeprefix(PREFIX),
        Mean.from_values(of["learned"].tolist()),
        Mean.from_values(of["memorised"].tolist()),
        Mean.from_values(differences.tolist()),
        Mean.from_values(shares.tolist()),
        says,
    )


def _shares(rows: pd.DataFrame) -> pd.Series:
    """For each unit P(learned > memorised) + ½ P(equal) over all pairs of its networks."""
    learned, memorised = (rows.loc[rows["kind"] == kind, ["unit", "value"]] for kind in _ARMS.values())
    pairs = learned.merge(memorised, on="unit", suffixes=("", "_other"))
    gaps = pairs["value"] - pairs["value_other"]
    wins: pd.Series = (gaps > 0).astype(float) + 0.5 * (gaps == 0)
    return wins.groupby(pairs["unit"]).mean()


def sentences() -> dict[str, str]:
    """What each measure is, in a line."""
    from trainables.looking.measure import MEASURES

    return {
        f"{name}/{number}": says
        for name in MEASURES.names()
        for number, says in MEASURES.literal(name, "reports").items()
    }


def as_frame(rows: Sequence[MeasureRow]) -> pd.DataFrame:
    """One row a measure, for CSV."""
    records = []
    for row in rows:
        record: dict[str, object] = {"measure": row.name}
        for name in ("learned", "memorised", "difference", "auc"):
            mean: Mean = getattr(row, name)
            record |= {name: mean.mean, f"{name}_ci95": mean.ci95}
        records.append({**record, "units": row.difference.units or row.learned.units, "says": row.says})
    return pd.DataFrame(records)
