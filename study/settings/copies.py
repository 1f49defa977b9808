"""A home that was copied is another home: it goes on by itself, and what both still write to is said."""

from collections.abc import Callable

from study.config import StudyConfig
from study.ledger.remains import signature
from study.passwords import mask_passwords


def say_if_copied(stored: StudyConfig, asked: StudyConfig, uid: str, say: Callable[[str], None]) -> None:
    """Says where a study was copied from, if it is there still.

    Args:
        stored: As its ledger has it, which came with the copy.
        asked: As this run wants it.
        uid: Of the study, as its ledger says.
        say: Hears it.
    """
    first, here = stored.run.home, asked.run.home
    if asked.run.ledger is not None or first.resolve() == here.resolve() or signature(first / asked.name) != uid:
        return
    say(
        f"{here} is a copy of {first}, where {asked.name} still is: from now on each goes on by itself, and nothing "
        "that is done here is written there."
    )
    for name in ("tracking_uri", "storage"):
        place: str | None = getattr(asked.run, name)
        if place is not None and mask_passwords(place) == mask_passwords(getattr(stored.run, name) or ""):
            say(
                f"But both write to {mask_passwords(place)}, each over the other's trials of the same number: give one "
                f"of them a --{name.replace('_', '-')} of its own."
            )
