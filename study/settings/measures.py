"""What is known of a study's measures, as its ledger and files have it now."""

from typing import TYPE_CHECKING

from study.ledger import Ledger
from study.settings.verdicts import standing_with

if TYPE_CHECKING:
    from pandas import DataFrame

    from study.answer.gap_model import GapTable


def gap_of(ledger: Ledger) -> "GapTable":
    """All measures of a study held against the gap: by its planned number of trials if it ended so, else at any time.

    Raises:
        Damaged: Files of results are not what was written.
    """
    from study.answer.gap_associations import gap_table
    from study.ledger.frames import network_frame, trial_frame

    rows, config = ledger.trials(), ledger.config
    frames = (trial_frame(rows), network_frame(config.directory, rows, ledger.files()))
    return gap_table([frames], as_planned=standing_with(config, rows).as_planned)


def measures_frame(ledger: Ledger, *, gap: bool) -> "DataFrame":
    """One row a measure: learned beside memorised, or held against the gap."""
    from study.answer.measured import as_frame, measured
    from study.ledger.frames import network_frame, trial_frame

    if gap:
        return gap_of(ledger).as_frame()
    rows = ledger.trials()
    return as_frame(measured(trial_frame(rows), network_frame(ledger.config.directory, rows, ledger.files())))
