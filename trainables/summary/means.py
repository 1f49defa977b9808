"""Means over the networks of an arm, with Student's t half widths."""

from collections.abc import Mapping, Sequence

from trainables.measuring import Row
from trainables.record import finite
from trainables.statistics import mean_ci95

# How metrics of each arm are prefixed; `baseline` is the scratch arm.
PREFIXES = {
    "replicate": "",
    "control": "control/",
    "scratch_replicate": "baseline/",
    "scratch_control": "control/baseline/",
}


def add_mean(
    metrics: dict[str, float],
    name: str,
    values: Sequence[float | None],
    notes: dict[str, str] | None = None,
    why: str | None = None,
) -> None:
    """Adds the mean of the defined values as `name`, and `name/ci95` from 3 values on; nothing if none is defined.

    Args:
        values: None or not finite where undefined.
        notes: Where to say it if some values were undefined.
        why: Why they were.
    """
    defined = [float(value) for value in values if value is not None and finite(float(value)) is not None]
    if notes is not None and len(defined) < len(values):
        notes[f"networks/{name}"] = f"{len(defined)} of {len(values)}" + (f": {why}" if why else "")
    if not defined:
        if notes is not None and why is not None:
            notes[f"undefined/{name}"] = why
        return
    mean, half, _ = mean_ci95(defined)
    metrics[name] = mean
    if half is not None:
        metrics[f"{name}/ci95"] = half


def add_failures(notes: dict[str, str], name: str, rows: Sequence[Row]) -> None:
    """Notes which networks are missing from the numbers of an arm, and why; nothing where none is."""
    failed = [f"network {row['network']}: {row['failed']}" for row in rows if row.get("failed")]
    if failed:
        notes[name] = f"{len(failed)} of {len(rows)} missing; " + "; ".join(failed)


def by_arm(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows of each arm that is there, in the order of the networks."""
    return {arm: found for arm in PREFIXES if (found := [row for row in rows if row["arm"] == arm])}


def add_column_means(
    metrics: dict[str, float], rows: Sequence[Row], names: Mapping[str, str], notes: dict[str, str] | None = None
) -> None:
    """Adds the mean of each column under its name; columns that are undefined in all rows are left out quietly."""
    for column, name in names.items():
        values = [finite(row[column]) for row in rows]
        if any(value is not None for value in values):
            add_mean(metrics, name, values, notes)
