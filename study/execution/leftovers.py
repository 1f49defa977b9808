"""What an earlier driver left when it died, or this one when it stops."""

import shutil

from study.config import StudyConfig
from study.ledger import ENDED, Ledger


def sweep(ledger: Ledger) -> list[int]:
    """Requeues, free of charge, what still counts as running although nothing runs; their numbers."""
    numbers = ledger.numbers("RUNNING")
    for number in numbers:
        ledger.requeue(number, charged=False)
    return numbers


def remove_checkpoints(ledger: Ledger, config: StudyConfig) -> None:
    """Removes checkpoints of ended trials that a killed driver had no time to remove."""
    if config.run.keep_checkpoints:
        return
    ended = set(ledger.numbers(*ENDED))
    for folder in sorted((config.directory / "trials").glob("*/checkpoints")):
        if folder.parent.name.isdigit() and int(folder.parent.name) in ended:
            shutil.rmtree(folder, ignore_errors=True)
