"""What the trials of a study read from files, as it was when the study was launched."""

import hashlib
import json
from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from study.ledger.schema import inputs

# What names an input → its files and their digests, see `trainables.input_files`.
RecordedInputs = Mapping[str, Mapping[str, str]]


def read(connection: Connection, study: str) -> dict[str, dict[str, str]]:
    """What trials read from files, as recorded: what names an input → file → digest; {} if nothing was."""
    contents = connection.execute(select(inputs.c.content).where(inputs.c.study == study)).scalars()
    return dict(json.loads(content) for content in contents)


def record(connection: Connection, study: str, now: RecordedInputs) -> None:
    """Stores what trials read from files, from now on the measure for later runs; of one name the new ones."""
    keys = {name: hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32] for name in now}
    connection.execute(delete(inputs).where(inputs.c.study == study, inputs.c.key.in_(list(keys.values()))))
    rows = [
        {"study": study, "key": keys[name], "content": json.dumps([name, dict(content)])}
        for name, content in now.items()
    ]
    if rows:
        connection.execute(insert(inputs), rows)
