"""A run keeps to itself on a shared machine: its files are the user's alone, its messages have no passwords."""

from collections.abc import Iterator
from contextlib import contextmanager

from study.config import StudyConfig
from study.events import Discreet, Listener
from study.private import open_to_others, private_files
from study.trust import remember_places


@contextmanager
def discreet(config: StudyConfig, listener: Listener) -> Iterator[Listener]:
    """What a run does inside the block is hidden from others; yields the listener to tell."""
    remember_places(config.run.model_dump())
    home, quiet = config.run.home, Discreet(listener)
    if may := open_to_others(home):
        quiet.on_message(f"other users of this machine may {may} {home}; to end that: chmod 700 {home}")
    with private_files(home):
        yield quiet
