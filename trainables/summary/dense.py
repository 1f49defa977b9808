"""Metrics of the dense networks."""

from collections import Counter
from collections.abc import Sequence

from trainables.measuring import Row
from trainables.summary.means import PREFIXES, add_column_means, add_failures, add_mean, by_arm

_LOSSES = {"train_loss": "train/loss", "val_loss": "val/loss", "test_loss": "test/loss"}
_NO_FORMULA = "no formula holds for this noise_kind: its labels are no independent draws"


def _names(score: str) -> dict[str, str]:
    """Column → metric."""
    scores = {f"{part}_{score}": f"{part}/{score}" for part in ("train", "val", "test")}
    parts = {f"{part}_{score}": f"train/{part}_{score}" for part in ("kept", "changed", "recovered")}
    return {**_LOSSES, **scores, **parts, "changed_share": "data/changed_share"}


def _gaps(score: str) -> dict[str, tuple[str, str]]:
    """Metric → (minuend, subtrahend); a positive gap is a network that does better on what it trained on."""
    return {
        f"gap/{score}": (f"train_{score}", f"test_{score}"),
        "gap/loss": ("test_loss", "train_loss"),
        f"gap/val_{score}": (f"train_{score}", f"val_{score}"),
        f"gap/iid_{score}": (f"train_{score}", f"iid_{score}"),
    }


def dense_metrics(rows: Sequence[Row], score: str, *, final: bool) -> tuple[dict[str, float], dict[str, str]]:
    """Metrics and notes from the rows of level 0.

    `train/epochs_to_fit` is the mean over the networks that fitted, `train/epochs_to_fit_censored` the share of those
    that did not: with any of these the mean of all is larger.

    Args:
        rows: Replicates and controls.
        score: What their task's score is called.
        final: Whether training has ended, so that what it came to can be said; before, metrics are quick estimates.
    """
    metrics: dict[str, float] = {}
    notes: dict[str, str] = {}
    for arm, mine in by_arm(rows).items():
        prefix = PREFIXES[arm]
        add_column_means(metrics, mine, {column: prefix + name for column, name in _names(score).items()}, notes)
        for name, (minuend, subtrahend) in _gaps(score).items():
            pairs = [(row[minuend], row[subtrahend]) for row in mine]
            differences = [None if None in pair else pair[0] - pair[1] for pair in pairs]
            add_mean(metrics, prefix + name, differences)
            if final and prefix + name not in metrics:
                lacking = minuend if all(row[minuend] is None for row in mine) else subtrahend
                notes[f"undefined/{prefix}{name}"] = _why_absent(mine, lacking, score)
        if final:
            sound = [row for row in mine if not row.get("failed")]
            epochs = [row["epochs_to_fit"] for row in sound]
            add_mean(metrics, f"{prefix}train/epochs_to_fit", epochs, notes)
            if sound:
                metrics[f"{prefix}train/epochs_to_fit_censored"] = epochs.count(None) / len(epochs)
            add_mean(metrics, f"{prefix}train/interpolated", [float(row["interpolated"]) for row in sound])
            add_failures(notes, f"{prefix}train/diverged", mine)
            notes[f"{prefix}train/stop_reason"] = _counts([row["stop_reason"] for row in mine])
    return metrics, notes


def _why_absent(rows: Sequence[Row], column: str, score: str) -> str:
    """Why no network has a number in the column."""
    if all(row.get("failed") for row in rows):
        return str(rows[0]["failed"])
    if column == f"iid_{score}":
        return _NO_FORMULA
    return f"no network has a {column.replace('_', ' ')}: its targets are all equal, or none was asked"


def _counts(reasons: Sequence[str]) -> str:
    return ", ".join(f"{reason} x{count}" for reason, count in Counter(reasons).most_common())
