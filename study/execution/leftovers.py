"""What an earlier driver left when it died, or this one when it stops."""

from study.execution.files import Files
from study.ledger import ENDED, Ledger


def sweep(ledger: Ledger) -> list[int]:
    """Requeues, free of charge, what still counts as running although nothing runs; their numbers."""
    numbers = ledger.numbers("RUNNING")
    for number in numbers:
        ledger.requeue(number, charged=False)
    return numbers


def remove_checkpoints(ledger: Ledger, files: Files) -> None:
    """Removes checkpoints of ended trials that a killed driver had no time to remove."""
    if not ledger.config.run.keep_checkpoints:
        files.drop_checkpoints(sorted(files.with_checkpoints() & set(ledger.numbers(*ENDED))))
