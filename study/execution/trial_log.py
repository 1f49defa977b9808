"""What a trial's `log.txt` says of its reports: stages, levels, and what is undefined and why."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainables.record import Record

_SHOWN = ("ratio", "accuracy", "r2", "loss", "auc", "seconds")


def line(record: "Record", at: float) -> str:
    """One report in one line: when, stage and step, key numbers, notes.

    Args:
        at: Seconds since 1970.
    """
    numbers = [
        f"{name}={value:.4g}"
        for name, value in record.metrics.items()
        if not name.endswith("/ci95") and name.rpartition("/")[2].endswith(_SHOWN)
    ]
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
    return " ".join(
        [when, f"{record.stage} {record.step}:", *numbers, *(f"[{k}: {v}]" for k, v in record.notes.items())]
    )
