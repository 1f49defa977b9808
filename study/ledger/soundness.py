"""Rows that are not what was written: which trials they are of, and how such trials run again."""

import json
from collections.abc import Collection

from sqlalchemy import Connection, Table, select

from study.config import StudyConfig
from study.errors import Damaged
from study.ledger import files, life, steps
from study.ledger.schema import attempts
from study.ledger.schema import steps as step_table
from study.ledger.schema import trials as trial_table
from study.ledger.sealing import is_sound, renew
from trainables.config import TrialConfig
from trainables.dotted import unflatten


def damaged_trials(connection: Connection, study: str, *, steps_too: bool) -> list[int]:
    """Trials with a row that is not what was written.

    Args:
        steps_too: Look at every step as well, which takes seconds for thousands of trials.
    """
    tables: tuple[Table, ...] = (trial_table, attempts, step_table) if steps_too else (trial_table, attempts)
    damaged: set[int] = set()
    for table in tables:
        rows = connection.execute(select(table).where(table.c.study == study))
        damaged |= {row.number for row in rows if not is_sound(table, row._asdict())}
    return sorted(damaged)


def count_unsealed(connection: Connection, study: str) -> int:
    """How many trials are of an earlier version, whose rows carry no checksum."""
    query = select(trial_table.c.number).where(trial_table.c.study == study, trial_table.c.seal.is_(None))
    return len(connection.execute(query).all())


def repair(connection: Connection, config: StudyConfig, numbers: Collection[int]) -> None:
    """Ended → QUEUED, for trials whose results were damaged: they run again under their numbers.

    Steps that are what was written stay, so that what is reported again leaves no trace in MLflow.

    Raises:
        Damaged: It can't be known any more what one of them was to do.
    """
    for number in numbers:
        _require_configuration(connection, config, number)
        for row in steps.step_rows(connection, config.name, number).values():
            if not is_sound(step_table, row):
                steps.forget(connection, row)
        own = (attempts.c.study == config.name) & (attempts.c.number == number)
        for attempt in connection.execute(select(attempts).where(own)).all():
            renew(connection, attempts, attempt._asdict())
    files.forget(connection, config.name, numbers)
    life.retry(connection, config.name, sorted(numbers))


def _require_configuration(connection: Connection, config: StudyConfig, number: int) -> None:
    """A row whose checksum fails may be relied on again where its configuration has a fingerprint that does not."""
    own = (trial_table.c.study == config.name) & (trial_table.c.number == number)
    row = connection.execute(select(trial_table).where(own)).one()
    if is_sound(trial_table, row._asdict()):
        return
    try:
        flat, proposed = json.loads(row.params), json.loads(row.proposed)
        known = TrialConfig.model_validate(unflatten(flat)).fingerprint() == row.fingerprint
        known = known and config.space.config(proposed, config.seed).fingerprint() == row.fingerprint
    except ValueError:
        known = False
    if not known:
        raise Damaged(f"the ledger of {config.name!r} is damaged: what trial {number} was to do is lost", config.name)
    renew(connection, trial_table, row._asdict())
