"""Many trials put into Optuna's tables in one transaction of a few statements.

What `create_new_trial(template)` does for one, whose every value it looks for before it writes it (8 ms of a processor
a trial). The rows come from Optuna's own models; a test compares what both leave.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial
from sqlalchemy import Engine, insert


def create(engine: Engine, study: int, first: int, templates: Sequence[FrozenTrial]) -> list[int]:
    """Adds trials, all or none of them; no other process may add any to this study meanwhile.

    Args:
        study: Optuna's id of it.
        first: The number of the first of them.
    Returns:
        Optuna's ids of the trials.
    """
    trials = [
        {
            "study_id": study,
            "number": number,
            "state": trial.state,
            "datetime_start": _utc(trial.datetime_start),
            "datetime_complete": _utc(trial.datetime_complete),
        }
        for number, trial in enumerate(templates, start=first)
    ]
    children = [(model, [list(rows(trial)) for trial in templates]) for model, rows in _CHILDREN]
    table: Any = models.TrialModel.__table__
    with engine.begin() as connection:
        made = insert(table).returning(table.c.trial_id, sort_by_parameter_order=True)
        ids = [int(found) for found in connection.execute(made, trials).scalars()]
        for model, of_each in children:
            rows = [{"trial_id": trial, **row} for trial, own in zip(ids, of_each, strict=True) for row in own]
            if rows:
                connection.execute(insert(model.__table__), rows)
    return ids


def _params(trial: FrozenTrial) -> Any:
    for name, value in trial.params.items():
        distribution = trial.distributions[name]
        yield {
            "param_name": name,
            "param_value": distribution.to_internal_repr(value),
            "distribution_json": distribution_to_json(distribution),
        }


def _values(trial: FrozenTrial) -> Any:
    for objective, value in enumerate(trial.values or ()):
        stored, kind = models.TrialValueModel.value_to_stored_repr(value)
        yield {"objective": objective, "value": stored, "value_type": kind}


def _curve(trial: FrozenTrial) -> Any:
    for step, value in trial.intermediate_values.items():
        stored, kind = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr(value)
        yield {"step": step, "intermediate_value": stored, "intermediate_value_type": kind}


def _user_attributes(trial: FrozenTrial) -> Any:
    return ({"key": key, "value_json": json.dumps(value)} for key, value in trial.user_attrs.items())


def _system_attributes(trial: FrozenTrial) -> Any:
    return ({"key": key, "value_json": json.dumps(value)} for key, value in trial.system_attrs.items())


_CHILDREN: tuple[tuple[Any, Any], ...] = (
    (models.TrialParamModel, _params),
    (models.TrialValueModel, _values),
    (models.TrialUserAttributeModel, _user_attributes),
    (models.TrialSystemAttributeModel, _system_attributes),
    (models.TrialIntermediateValueModel, _curve),
)


def _utc(local: datetime | None) -> datetime | None:
    """As Optuna stores times: naive, in UTC."""
    return None if local is None else local.astimezone(UTC).replace(tzinfo=None)
