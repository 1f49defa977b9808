"""What is known of the measures of studies, as their ledgers and files have it now."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from study.ledger import Ledger
from study.settings.verdicts import standing_with

if TYPE_CHECKING:
    from pandas import DataFrame

    from study.answer.gap_model import GapTable


def gap_across(ledgers: Sequence[Ledger]) -> "GapTable":
    """All measures of studies held against the gap, by planned numbers of trials if all ended so, else at any time.

    Units of different studies are never compared: each study has strata of its own.

    Raises:
        Damaged: Files of results are not what was written.
    """
    from study.answer.gap_associations import gap_table
    from study.ledger.frames import network_frame, trial_frame

    frames, as_planned = [], True
    for ledger in ledgers:
        rows, config = ledger.trials(), ledger.config
        frames.append((trial_frame(rows), network_frame(config.directory, rows, ledger.files())))
        as_planned = as_planned and standing_with(config, rows).as_planned
    return gap_table(frames, as_planned=as_planned)


def measures_frame(ledger: Ledger, *, gap: bool) -> "DataFrame":
    """One row a measure: learned beside memorised, or held against the gap."""
    from study.answer.measured import as_frame, measure_rows
    from study.ledger.frames import network_frame, trial_frame

    if gap:
        return gap_across([ledger]).as_frame()
    rows = ledger.trials()
    return as_frame(measure_rows(trial_frame(rows), network_frame(ledger.config.directory, rows, ledger.files())))
