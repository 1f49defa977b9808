"""What a storage knows of a study."""

import sqlite3
from contextlib import closing

from study.storing import snapshots
from study.storing.safekeeping import study_folder


def ended_in_snapshot(storage: str, name: str) -> set[int]:
    """Numbers of the complete trials in the newest copy of the ledger; empty while there is none."""
    for _, content in snapshots.newest(study_folder(storage, name) / "ledger"):
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(content)
            rows = connection.execute("SELECT number FROM ockham_trials WHERE state = 'COMPLETE'").fetchall()
            return {number for (number,) in rows}
    return set()
