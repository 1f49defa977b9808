"""Means over the networks of an arm, with Student's t half widths."""

from collections.abc import Mapping, Sequence

from trainables.measuring import Row
from trainables.statistics import mean_ci95

# How metrics of each arm are prefixed; `baseline` is the scratch arm.
PREFIXES = {
    "replicate": "",
    "control": "control/",
    "scratch_replicate": "baseline/",
    "scratch_control": "control/baseline/",
}


def add_mean(
    metrics: dict[str, float], name: str, values: Sequence[float | None], notes: dict[str, str] | None = None
) -> None:
    """Adds the mean of the defined values as `name`, and `name/ci95` from 3 values on; nothing if none is defined.

    Args:
        notes: Where to say it if some values were undefined.
    """
    defined = [float(value) for value in values if value is not None]
    if notes is not None and len(defined) < len(values):
        notes[f"networks/{name}"] = f"{len(defined)} of {len(values)}"
    if not defined:
        return
    mean, half, _ = mean_ci95(defined)
    metrics[name] = mean
    if half is not None:
        metrics[f"{name}/ci95"] = half


def by_arm(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows of each arm that is there, in the order of the networks."""
    return {arm: found for arm in PREFIXES if (found := [row for row in rows if row["arm"] == arm])}


def add_column_means(
    metrics: dict[str, float], rows: Sequence[Row], names: Mapping[str, str], notes: dict[str, str] | None = None
) -> None:
    """Adds the mean of each column under its name; columns that are undefined in all rows are left out quietly."""
    for column, name in names.items():
        values = [row[column] for row in rows]
        if any(value is not None for value in values):
            add_mean(metrics, name, values, notes)
