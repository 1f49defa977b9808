"""What a run does about damage that it finds when it starts: it says so, or runs the trials again if asked to."""

from collections.abc import Callable

from study.errors import Damaged
from study.ledger import Ledger, soundness
from study.ledger.files import damaged_files
from study.ledger.remains import require_own
from study.settings.resume_request import numbers_text


def look_for_damage(ledger: Ledger, *, repair: bool, say: Callable[[str], None]) -> list[str]:
    """With the lease held and nothing running.

    Args:
        repair: Run damaged trials again.
    Returns:
        What stays damaged, a file and what is wrong with it each: the study has no answer until that is mended.
    Raises:
        Damaged: Rows of the ledger are not what was written, and nobody asked for a repair.
    """
    require_own(ledger.config.directory, ledger.uid)
    ledger.mend_outbox()
    rows, files = ledger.damaged_trials(steps_too=repair), damaged_files(ledger.files(), ledger.config.directory)
    again = sorted({*rows, *(number for number, _ in files.values())})
    if repair:
        if again:
            with ledger.writing("repair") as connection:
                soundness.repair(connection, ledger.config, again)
        say(
            f"damaged trials that run again: {numbers_text(again)}"
            if again
            else "nothing is damaged: no trial runs again"
        )
        return []
    if rows:
        name = ledger.name
        raise Damaged(
            f"the ledger of {name!r} is damaged: the rows of trials {numbers_text(rows)} are not what was written",
            name,
            f"Run them again: {ledger.config.command('resume', '--repair')}; or put the newest copy of the "
            f"ledger back: {ledger.config.command('doctor', '--mend')}",
        )
    return [f"{name} {wrong}" for name, (_, wrong) in files.items()]
