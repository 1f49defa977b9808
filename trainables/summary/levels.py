"""Metrics of one compression level."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from trainables.compressibility import Curve, normalise_curve
from trainables.data.task import Task
from trainables.measuring import Row
from trainables.summary.means import PREFIXES, add_column_means, add_failures, add_mean, by_arm

_SCORES = ("train", "kept", "changed", "recovered", "val", "test")
_COLUMNS = ("train_loss", "val_loss", "test_loss", "fidelity", "kappa")
_SIZES = ("ratio", "parameters", "parameter_ratio", "flops", "description_length", "description_ratio")


def level_metrics(
    rows: Sequence[Row],
    dense: Sequence[Row],
    extra: Mapping[str, Sequence[float | None]],
    task: Task,
    undefined: Mapping[str, str] | None = None,
) -> tuple[dict[str, float], dict[str, str]]:
    """Metrics and notes of a level.

    `level/normalised_<score>` is (score − chance)/(dense score − chance), clipped to 0 … 1, of the networks that
    fitted; `contrast/level/normalised_<score>` its mean difference control − replicate over pairs that both
    interpolated.

    Args:
        rows: All arms at this level.
        dense: Replicates and controls at level 0.
        extra: What the method says of each network, in the order of the stack; reported as `level/<name>`.
        task: What networks are asked for, which has the score.
        undefined: Name in `extra` → why a network may lack it.
    """
    metrics: dict[str, float] = {}
    notes: dict[str, str] = {}
    columns = (*(f"{part}_{task.score}" for part in _SCORES), *_COLUMNS)
    retained: dict[str, list[float | None]] = {}
    for arm, mine in by_arm(rows).items():
        prefix = f"{PREFIXES[arm]}level/"
        if not arm.startswith("scratch_"):
            metrics |= {prefix + name: size for name, size in _sizes(mine, dense[0]["flops"]).items()}
        add_column_means(metrics, mine, {column: prefix + column for column in columns}, notes)
        notes |= {f"undefined/{prefix}{column}": reason for column, reason in task.undefined_reasons.items()}
        originals = [row for row in dense if row["arm"] == arm.removeprefix("scratch_")]
        retained[arm] = [
            _retained_share(row, start, f"train_{task.score}") for row, start in zip(mine, originals, strict=True)
        ]
        add_mean(metrics, f"{prefix}normalised_{task.score}", retained[arm], notes)
        add_failures(notes, f"{prefix}diverged", mine)
    for name, values in extra.items():
        count = len(retained["replicate"])
        why = (undefined or {}).get(name, "no network has a finite number")
        add_mean(metrics, f"level/{name}", values[:count], notes, why)
        if "control" in retained:
            add_mean(metrics, f"control/level/{name}", values[count:], notes, why)
    for arm, mine in by_arm(rows).items():
        if arm.startswith("scratch_") and "early_stop_epoch" in mine[0]:
            add_mean(metrics, f"{PREFIXES[arm]}level/early_stop_epoch", [row["early_stop_epoch"] for row in mine])
    if "control" in retained:
        interpolated = {(row["arm"], row["network"]) for row in dense if row["interpolated"]}
        differences = [
            control - replicate
            for k, (control, replicate) in enumerate(zip(retained["control"], retained["replicate"], strict=True))
            if control is not None and replicate is not None and {("replicate", k), ("control", k)} <= interpolated
        ]
        add_mean(metrics, f"contrast/level/normalised_{task.score}", differences)
    return metrics, notes


def _sizes(rows: Sequence[Row], dense_flops: float) -> dict[str, float]:
    """Means of what networks cost: see `trainables.measuring.network_sizes`; bytes are those of the description."""
    sizes = {name: _mean([row[name] for row in rows]) for name in _SIZES}
    return sizes | {
        "density": _mean([1 / row["parameter_ratio"] for row in rows]),
        "bytes": _mean([math.ceil(row["description_length"] / 8) for row in rows]),
        "speedup": dense_flops / sizes["flops"],
    }


def _retained_share(row: Row, dense: Row, column: str) -> float | None:
    if dense[column] is None or row[column] is None:
        return None
    curve = Curve([0.0, 1.0], [dense[column], row[column]])  # type: ignore[arg-type]
    values = normalise_curve(curve, row["chance"])
    return None if values is None else float(values[1])


def _mean(sizes: Sequence[float]) -> float:
    """Exactly the size that all have, or the mean of those that masked networks have."""
    return float(sizes[0]) if len(set(sizes)) == 1 else fmean(sizes)
