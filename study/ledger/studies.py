"""The row of a study: who it is, and its latest budget and run settings."""

import difflib
import json
import secrets
import time
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from study.config import StudyConfig
from study.errors import Damaged, StudyMismatch, StudyNotFound
from study.ledger import schema
from study.ledger.schema import leases, studies
from study.ledger.sealing import insert_rows, update_row, verify
from trainables.dotted import flatten

_ORDER = "order of the spanned fields"
_SHOWN = 12


def create(connection: Connection, config: StudyConfig) -> bool:
    """Inserts the study if its name is free. True if it did.

    Raises:
        StudyMismatch: The name belongs to another identity.
    """
    own_row = connection.execute(select(studies).where(studies.c.study == config.name)).first()
    if own_row is not None:
        verify(studies, own_row._asdict())
        earlier = StudyConfig.from_stored(own_row.config)
        _require_same(config.drawn_as(earlier), json.loads(own_row.identity))
        return False
    config = config.model_copy(update={"planned": config.trials - config.added})
    row = {
        "study": config.name,
        "uid": secrets.token_hex(4),
        "identity": json.dumps(_identity(config)),
        "config": json.dumps(config.public_fields()),
        "stop": "",
        "created_ms": time.time_ns() // 1_000_000,
    }
    insert_rows(connection, studies, [row])
    if connection.execute(select(leases.c.fence).where(leases.c.study == config.name)).first() is None:
        blank = {"fence": 0, "held": False, "heartbeat": 0, "holder": "", "since_ms": 0}
        connection.execute(insert(leases).values(study=config.name, **blank))
    return True


def read(connection: Connection, name: str) -> tuple[StudyConfig, str]:
    """Config and uid of a study.

    Raises:
        StudyNotFound: There is none of that name; says which there are.
    """
    row = connection.execute(select(studies).where(studies.c.study == name)).first()
    if row is None:
        all_names = names(connection)
        close = difflib.get_close_matches(name, all_names, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        choices = f"there are: {', '.join(all_names[:_SHOWN])}" if all_names else "it holds no study yet"
        raise StudyNotFound(f"there is no study {name!r} in this ledger; {hint}{choices}")
    verify(studies, row._asdict())
    config = StudyConfig.from_stored(row.config)
    own = schema.trials.c.uid.startswith(f"{name}/{row.uid}/", autoescape=True)
    foreign = select(func.count()).select_from(schema.trials).where(schema.trials.c.study == name, ~own)
    if number := connection.execute(foreign).scalar_one():
        why = f"{number} of its trials are another study's (a study.db, or its -wal, that is not this one's)"
        raise Damaged(f"the ledger of {name!r} is damaged: {why}", name)
    return config, row.uid


def save(connection: Connection, config: StudyConfig) -> None:
    """Replaces budget and run settings."""
    row = connection.execute(select(studies).where(studies.c.study == config.name)).one()
    update_row(connection, studies, row._asdict(), config=json.dumps(config.public_fields()))


def names(connection: Connection) -> list[str]:
    """All studies of the database, sorted."""
    return list(connection.execute(select(studies.c.study).order_by(studies.c.study)).scalars())


def remove(connection: Connection, name: str) -> None:
    """Removes a study from Ockham's tables (Optuna's and MLflow's copies are not touched).

    Its fence grows on, so that no process that still holds the study can write to a later one of the same name.
    """
    of_trials = (schema.added, schema.outbox, schema.files, schema.steps, schema.attempts, schema.trials)
    for table in (*of_trials, schema.inputs, schema.studies):
        connection.execute(delete(table).where(table.c.study == name))
    connection.execute(update(leases).where(leases.c.study == name).values(fence=leases.c.fence + 1, held=False))


def _identity(config: StudyConfig) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(json.dumps(config.identity()))
    return fields


def _require_same(config: StudyConfig, stored: dict[str, Any]) -> None:
    identity = _identity(config)
    if identity == stored:
        return
    before, now = _fields(stored), _fields(identity)
    absent = "nothing (the default)"
    differ = [f for f in sorted(before.keys() | now.keys()) if before.get(f, absent) != now.get(f, absent)]
    lines = [
        f"  {field}: {before.get(field, absent)} in the study, {now.get(field, absent)} asked for"
        for field in differ
        if field != _ORDER or differ == [_ORDER]
    ]
    more = [f"  … and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    raise StudyMismatch(
        "\n".join(
            [
                f"the study {config.name!r} exists and is another one; these fields differ:",
                *lines[:_SHOWN],
                *more,
                f"go on with the one that is there, as it is: {config.command('resume')}",
                f"or choose another --name, or remove the old study with: {config.command('delete')}",
            ]
        )
    )


def _fields(identity: dict[str, Any]) -> dict[str, str]:
    """Dotted field → value as text. A space's own fields are dotted names already: `base` and `span` are left out."""
    space = identity["space"]
    span = {
        name: ",".join(map(str, choice["values"]))
        if "values" in choice
        else f"{choice['low']}..{choice['high']}{':log' if choice['log'] else ''}"
        for name, choice in space["span"].items()
    }
    rest = {name: value for name, value in identity.items() if name != "space"}
    when = {
        f"{name} depends on": json.dumps(choice["when"]) for name, choice in space["span"].items() if "when" in choice
    }
    flat = flatten(rest) | dict(space["base"]) | span | when
    if "crossed" in space:
        flat["crossed"] = ", ".join(space["crossed"])
    if list(space["span"]):
        flat[_ORDER] = " ".join(space["span"])
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in flat.items()}
