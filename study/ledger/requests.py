"""What people ask of a running study from other processes: to stop, or to run configurations of their own."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from study.ledger.schema import added, studies

Stop = Literal["", "now", "drain"]
_ROLE = "role"  # no field of a trial is called so


def request_stop(connection: Connection, study: str, *, drain: bool = False) -> None:
    """Asks the running driver to stop; the next `acquire` forgets it.

    Args:
        drain: Let running trials end first.
    """
    stop = "drain" if drain else "now"
    connection.execute(update(studies).where(studies.c.study == study).values(stop=stop))


def stop_requested(connection: Connection, study: str) -> Stop:
    """What someone asked of the driver: "now", "drain", or nothing ("")."""
    return cast(Stop, connection.execute(select(studies.c.stop).where(studies.c.study == study)).scalar() or "")


def add(connection: Connection, study: str, configurations: Sequence[Mapping[str, Any]], role: str = "explore") -> None:
    """Puts configurations (dotted name → value) into the queue; a driver makes trials of them.

    Whether they are trials at all has been looked at before: see `study.operations.adding`.

    Args:
        role: `explore`, or `design` for what runs again to be counted.
    """
    if configurations:
        rows = [{"study": study, "params": json.dumps({**params, _ROLE: role})} for params in configurations]
        connection.execute(insert(added), rows)


def added_waiting(connection: Connection, study: str) -> int:
    """How many configurations were added that no driver has taken yet. Cheap."""
    count = select(func.count()).select_from(added).where(added.c.study == study)
    return int(connection.execute(count).scalar_one())


def waiting(connection: Connection, study: str) -> list[tuple[dict[str, Any], str]]:
    """Configurations that no driver has taken yet, oldest first, each with the role that its trial will have."""
    return [_with_role(row.params) for row in connection.execute(_queue(study))]


def take_added(connection: Connection, study: str) -> list[tuple[dict[str, Any], str]]:
    """Removes the configurations that `waiting` returns from the queue, and returns them."""
    rows = connection.execute(_queue(study)).all()
    connection.execute(delete(added).where(added.c.study == study, added.c.id.in_([row.id for row in rows])))
    return [_with_role(row.params) for row in rows]


def _queue(study: str) -> Select[Any]:
    return select(added).where(added.c.study == study).order_by(added.c.id)


def _with_role(text: str) -> tuple[dict[str, Any], str]:
    """What an earlier version added says no role: it explores."""
    params: dict[str, Any] = json.loads(text)
    return params, str(params.pop(_ROLE, "explore"))
