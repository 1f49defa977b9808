"""Optuna's tables as a projection of the ledger, so that Optuna's own tools open the study's database.

    optuna.load_study(study_name="blog", storage="sqlite:///studies/blog/study.db").trials

Trials have the ledger's numbers. They enter whole and in the order of their numbers, many in one transaction; what a
killed process left behind is completed by the next one. Only one process may project a study at a
time (the publisher sees to that), while the driver goes on writing the ledger.

Optuna's states mean slightly other things: RUNNING is every trial that was begun, trials that wait behind the last one
begun are not there yet, and a COMPLETE trial must have a value. One whose objective or constraint is undefined (a
network that did not fit, say) is FAIL there, as Optuna itself records an objective without a value; its user attribute
`ockham/state` says COMPLETE. Values are those that `StudyHandle.best` goes by, so that Optuna's tools crown its trial.
"""

import warnings
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from optuna.distributions import BaseDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import bindparam, event, make_url, text

from search_spaces.space import CONDITIONS
from study.crash_points import crash_if_asked
from study.ledger import ENDED, Ledger, TrialRow
from study.ledger.connection import BUSY_S, optuna_url
from study.proposing.inside import is_inside
from study.proposing.optuna_attributes import CONSTRAINTS
from study.tested_versions import is_tested

TRIALS_A_COMMIT = 100
_UID = "ockham/uid"
_TEXT = 500  # characters of an error; Optuna's attributes hold 2,048


def project(ledger: Ledger) -> None:
    """Brings Optuna's tables in step with the ledger, whatever state they are in."""
    OptunaProjection(ledger).sync()


class OptunaProjection:
    """Keeps Optuna's tables in step with the ledger; remembers what is there, so that `sync` costs what is new.

    Raises:
        RuntimeError: Optuna's tables hold a study of that name that is not Ockham's.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        config = ledger.config
        self._objectives = config.ranked_by
        self._distributions = config.space.distributions()
        self._storage = _storage(ledger.url)
        weakref.finalize(self, self._storage.engine.dispose)
        self._study = self._open()
        there = self._storage.get_all_trials(self._study, deepcopy=False)
        self._ids = [trial._trial_id for trial in there]
        self._states = [trial.state for trial in there]
        self._reopen_retried([trial for trial in there if trial.state == TrialState.FAIL])
        self._settled = 0  # all trials below have ended in both

    def sync(self) -> int:
        """Projects what is new since the last call; returns how many trials it touched."""
        states = self._ledger.states(self._settled)
        begun = max((number for number, state in states.items() if state != "QUEUED"), default=-1)
        behind = [number for number, state in states.items() if number <= begun and self._is_behind(number, state)]
        for start in range(0, len(behind), TRIALS_A_COMMIT):
            rows = self._ledger.trials(behind[start : start + TRIALS_A_COMMIT])
            there = len(self._ids)
            for row in rows:
                if row.number < there:
                    self._update(row)
            self._insert([row for row in rows if row.number >= there])
        while self._settled < len(self._states) and self._states[self._settled].is_finished():
            self._settled += 1
        return len(behind)

    def _is_behind(self, number: int, state: str) -> bool:
        if number >= len(self._states):
            return True
        there = self._states[number]
        return not there.is_finished() and (state in ENDED or (state == "RUNNING" and there == TrialState.WAITING))

    def _insert(self, rows: Sequence[TrialRow]) -> None:
        """Those that come next, in one transaction."""
        if not rows:
            return
        templates = [self._template(row) for row in rows]
        if is_tested("optuna", "trials enter its tables one by one"):
            from study.tracking import optuna_bulk

            self._ids += optuna_bulk.create(self._storage.engine, self._study, len(self._ids), templates)
        else:
            self._ids += [self._storage.create_new_trial(self._study, template) for template in templates]
        self._states += [trial.state for trial in templates]

    def _update(self, row: TrialRow) -> None:
        trial = self._ids[row.number]
        state, values = self._outcome(row)
        for name, value in self._end_attributes(row).items():
            self._storage.set_trial_user_attr(trial, name, value)  # before the end: an ended trial is closed
        for name, value in self._violations(row).items():
            self._storage.set_trial_system_attr(trial, f"{CONSTRAINTS}:{name}", value)
        for epoch, value in self._curve(row).items():
            self._storage.set_trial_intermediate_value(trial, epoch, value)
        crash_if_asked("optuna trial told")
        self._storage.set_trial_state_values(trial, state, values)
        crash_if_asked("optuna trial finished")
        self._states[row.number] = state

    def _reopen_retried(self, failed: list[FrozenTrial]) -> None:
        """Failed trials that run again: for Optuna an ended trial is closed for good, so its tables are told."""
        rows = {row.number: row for row in self._ledger.trials([trial.number for trial in failed])}
        for trial in failed:
            row = rows.get(trial.number)
            attributes = {} if row is None else self._end_attributes(row)
            as_it_ended = row is not None and self._outcome(row)[0] == TrialState.FAIL
            if row is None or (as_it_ended and attributes.items() <= trial.user_attrs.items()):
                continue
            with self._storage.engine.begin() as connection:
                mine = {"trial": trial._trial_id}
                said = text("DELETE FROM trial_user_attributes WHERE trial_id = :trial AND key IN :keys")
                ends = {"keys": ["error", "undefined", "ockham/state"]}
                connection.execute(said.bindparams(bindparam("keys", expanding=True)), mine | ends)
                reopened = "UPDATE trials SET state = 'RUNNING', datetime_complete = NULL WHERE trial_id = :trial"
                connection.execute(text(reopened), mine)
            self._states[trial.number] = TrialState.RUNNING

    def _template(self, row: TrialRow) -> FrozenTrial:
        params, distributions = self._params(row)
        state, values = self._outcome(row)
        attributes: dict[str, Any] = {
            "role": row.role,
            "uid": row.uid,
            "condition": {name: row.params[name] for name in CONDITIONS if name in row.params},
        }
        others = {name: value for name, value in row.proposed.items() if name not in params}
        if others:  # given explicitly and outside what the study spans
            attributes["params"] = others
        trial = create_trial(
            state=state,
            values=values,
            params=params,
            distributions=distributions,
            user_attrs=attributes | self._end_attributes(row),
            intermediate_values=self._curve(row),
            constraints=self._violations(row),
        )
        trial.datetime_start = _time(row.started_ms or row.created_ms) if state != TrialState.WAITING else None
        trial.datetime_complete = _time(row.ended_ms) if row.ended_ms is not None else None
        return trial

    def _params(self, row: TrialRow) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
        params = {
            name: row.proposed[name]
            for name, distribution in self._distributions.items()
            if name in row.proposed and is_inside(distribution, row.proposed[name])
        }
        return params, {name: self._distributions[name] for name in params}

    def _outcome(self, row: TrialRow) -> tuple[TrialState, list[float] | None]:
        if row.state == "COMPLETE" and not self._undefined_metrics(row):
            return TrialState.COMPLETE, [row.metrics[objective.metric] for objective in self._objectives]
        states = {"QUEUED": TrialState.WAITING, "RUNNING": TrialState.RUNNING, "PRUNED": TrialState.PRUNED}
        return states.get(row.state, TrialState.FAIL), None

    def _end_attributes(self, row: TrialRow) -> dict[str, Any]:
        if row.state not in ENDED:
            return {}
        attributes: dict[str, Any] = {}
        if row.state == "COMPLETE" and (undefined := self._undefined_metrics(row)):
            attributes["ockham/state"] = row.state
            attributes["undefined"] = {name: row.notes.get(f"undefined/{name}", "")[:_TEXT] for name in undefined}
        if row.error:
            attributes["error"] = row.error[:_TEXT]
        return attributes

    def _curve(self, row: TrialRow) -> dict[int, float]:
        """Epoch → what the scheduler went by, of an ended trial."""
        config = self._ledger.config
        if config.scheduler == "none" or row.state not in ENDED:
            return {}
        metric = config.stopping.metric.metric
        dense = [record for record in self._ledger.steps(row.number) if record.stage == "dense"]
        return {record.step: record.metrics[metric] for record in dense if metric in record.metrics}

    def _violations(self, row: TrialRow) -> dict[str, float]:
        """Constraint → by how much it is missed, of a complete trial."""
        if row.state != "COMPLETE":
            return {}
        missed = {one.name: one.violation(row.metrics) for one in self._ledger.config.constraints}
        return {name: value for name, value in missed.items() if value is not None}

    def _undefined_metrics(self, row: TrialRow) -> list[str]:
        wanted = [goal.metric for goal in self._objectives] + [
            bound.metric for bound in self._ledger.config.constraints
        ]
        return [metric for metric in dict.fromkeys(wanted) if metric not in row.metrics]

    def _open(self) -> int:
        """Optuna's id of the study, made if need be; what is left of a deleted study of that name goes."""
        name, uid = self._ledger.name, self._ledger.uid
        found = {study.study_name: study for study in self._storage.get_all_studies()}.get(name)
        if found is not None:
            owner = found.user_attrs.get(_UID)
            if owner == uid and self._has_goals(name):
                return found._study_id
            # without an owner and empty, it was made by a process that was killed before it could sign
            if owner is None and self._storage.get_n_trials(found._study_id):
                raise RuntimeError(f"Optuna's tables hold a study {name!r} that Ockham did not make; it is left alone")
            self._storage.delete_study(found._study_id)
        with _quiet():
            directions = [objective.direction for objective in self._objectives]
            study = optuna.create_study(storage=self._storage, study_name=name, directions=directions)
            study.set_metric_names(self._metrics())
            crash_if_asked("optuna study made")
            study.set_user_attr(_UID, uid)
        return study._study_id

    def _has_goals(self, name: str) -> bool:
        """Whether trials have the values there that they have now: earlier versions crowned others."""
        with _quiet():
            return optuna.load_study(study_name=name, storage=self._storage).metric_names == self._metrics()

    def _metrics(self) -> list[str]:
        return [objective.metric for objective in self._objectives]


def _storage(url: str) -> RDBStorage:
    """Optuna's storage in the ledger's database. Two processes that make its tables at once would crash one."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        lock = Path(f"{parsed.database}.optuna.lock")
        if lock.is_dir():
            lock.rmdir()
        with FileLock(lock):
            storage = RDBStorage(optuna_url(url), engine_kwargs={"connect_args": {"timeout": BUSY_S}})
        # Optuna would wait for the disk after each of its many transactions; what a power cut takes is projected again.
        event.listen(storage.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=NORMAL"))
        storage.engine.dispose()
        return storage
    return RDBStorage(optuna_url(url), engine_kwargs={"pool_pre_ping": True})


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's announcement of a new study and its warning that metric names are experimental."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000)  # local and naive, as Optuna's own
