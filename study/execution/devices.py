"""What the trials of a study are computed on: one repeats itself bit for bit on the same model and versions only."""

from study.ledger import Ledger, TrialRow
from trainables.again import DEVICE, PROMISE


class Devices:
    """Those that trials of a study have been computed on.

    Args:
        ledger: Of the study; asked once, when the first trial ends.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._seen: set[str] | None = None

    def on_end(self, row: TrialRow) -> str | None:
        """A warning if the trial was computed on another device than all before it."""
        if (device := row.notes.get(DEVICE)) is None:
            return None
        if self._seen is None:
            earlier = self._ledger.trials(states=("COMPLETE",))
            self._seen = {one.notes[DEVICE] for one in earlier if one.number != row.number and DEVICE in one.notes}
        before = sorted(self._seen)
        self._seen.add(device)
        if not before or device in before:
            return None
        return f"trial {row.number} was computed on {device}, earlier ones on {' and '.join(before)}: {PROMISE}"
