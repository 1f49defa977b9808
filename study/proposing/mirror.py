"""The study as Optuna sees it, in memory, under the ledger's numbers; what has not ended is RUNNING there."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from study.config import StudyConfig
from study.config.seen import expand
from study.ledger.rows import TrialRow
from study.proposing.inside import is_inside
from study.proposing.optuna_attributes import CONSTRAINTS
from study.sampling.interfaces import Generations, learning

Params = dict[str, str | int | float | bool | None]
Goals = tuple[list[float], dict[str, float]]
_WORST = 1e300  # until the values of other trials are known


class Mirror:
    """What one process has told Optuna, and asked it.

    Attributes:
        told: Numbers of the ended trials that Optuna knows.
        asked: Numbers that this object asked for.
    """

    def __init__(self, config: StudyConfig) -> None:
        self._config = config
        self._distributions = config.space.distributions()
        self._activation = config.space.activation
        self._sampler = learning(config.sampler)
        with _quiet():
            self._genetic = self._sampler.generations()
        self._storage = InMemoryStorage()
        with _quiet():
            self._study = optuna.create_study(
                storage=self._storage, directions=[objective.direction for objective in config.objectives]
            )
        self._ids: list[int] = []
        self._generations = np.full(0, -1)  # of complete trials, by number
        self.told: set[int] = set()
        self.asked: set[int] = set()
        self._warm_count = 0
        self._sound: list[Goals] = []
        self._unfit: dict[int, dict[str, float]] = {}  # Optuna's id → the violations that are known all the same
        self._warm = self._warm_started()

    def tell(self, row: TrialRow) -> None:
        """Ends a trial.

        One that its configuration kept from having an objective or a constrained metric (it diverged, ran out of
        memory, its networks did not fit) counts as bad as the worst that is known: see `_grade_unfit`. One that lacks a
        parameter, or was lost for no fault of its own, is of no use to a sampler, and FAILED. One that a scheduler
        stopped counts as worse than all complete ones; samplers other than tpe pass it over.
        """
        self._reserve(row.number + 1)
        trial = self._ids[row.number]
        params = self._params(row.proposed, row.params)
        self.told.add(row.number)
        if params is None or not (row.state == "PRUNED" or row.judges_its_configuration):
            self._storage.set_trial_state_values(trial, TrialState.FAIL)
            return
        self._set_params(trial, params)
        if row.state == "PRUNED":
            self._storage.set_trial_state_values(trial, TrialState.PRUNED)
            return
        goals = self._goals(row.metrics) if row.state == "COMPLETE" else None
        if goals is None:
            self._unfit[trial] = _known_violations(self._config, row)
            scores = [-objective.sign * _WORST for objective in self._config.objectives]
        else:
            self._sound.append(goals)
            scores = goals[0]
            self._set_violations(trial, goals[1])
        if self._genetic:
            self._set_generation(row.number, row.seen or "", self._genetic)
        self._storage.set_trial_state_values(trial, TrialState.COMPLETE, scores)

    def _grade_unfit(self) -> None:
        """Gives trials without objectives the worst value of each that any other has, and the worst violations.

        Told as failed, or left out, they would teach no sampler anything, and it would propose their like again and
        again. The values are worked out anew before each ask, so that they depend on what is known then and not on the
        order in which it became known.
        """
        if not self._unfit:
            return
        scores = [
            -objective.sign * max((-objective.sign * known[0][i] for known in self._sound), default=0.0)
            for i, objective in enumerate(self._config.objectives)
        ]
        for trial, known in self._unfit.items():
            self._storage.get_trial(trial).values = scores
            missed = {
                one.name: known.get(one.name, max([1.0, *(sound[1][one.name] for sound in self._sound)]))
                for one in self._config.constraints
            }
            self._set_violations(trial, missed)

    def _set_violations(self, trial: int, missed: Mapping[str, float]) -> None:
        attributes = self._storage.get_trial(trial).system_attrs
        attributes |= {f"{CONSTRAINTS}:{name}": violation for name, violation in missed.items()}

    def run(self, number: int, proposed: Mapping[str, Any], others: Mapping[str, Any]) -> None:
        """A trial is on its way, with these parameters; `others` are those of its configuration that were not proposed.

        Only gp looks at it, so that trials that run at the same time differ.
        """
        self._reserve(number + 1)
        params = self._params(proposed, others)
        if params is not None and not self._storage.get_trial(self._ids[number]).params:
            self._set_params(self._ids[number], params)

    def ask(self, number: int) -> Params:
        """What the sampler proposes as trial `number`, of which nothing has been said yet."""
        self._reserve(number)
        self._grade_unfit()
        params: Params = {}
        with _quiet():
            self._study.sampler = self._sampler.optuna(self._config.seed, number, self._warm)
            trial = self._study.ask()
            for name in self._activation.order:
                if self._activation.is_active(name, params):
                    params[name] = trial._suggest(name, self._distributions[name])
        self._ids.append(trial._trial_id)
        self.asked.add(number)
        return {name: params[name] for name in self._distributions if name in params}

    def _warm_started(self) -> list[FrozenTrial]:
        """The trials of another study, told before all others; those that cmaes starts from are returned instead."""
        start = self._config.warm_start
        found = []
        for trial in start.trials if start else ():
            params, goals = self._params(trial.params, {}), self._goals(trial.metrics)
            if params is not None and goals is not None:
                distributions = {name: self._distributions[name] for name in params}
                attributes = {self._genetic.key: 0} if self._genetic else {}
                scores, missed = goals
                self._sound.append(goals)
                found.append(
                    create_trial(
                        values=scores,
                        params=params,
                        distributions=distributions,
                        system_attrs=attributes,
                        constraints=missed,
                    )
                )
        if self._sampler.carries_state:
            return found
        for frozen in found:
            self._storage.create_new_trial(self._study._study_id, template_trial=frozen)
        self._warm_count = len(found)
        return []

    def _goals(self, metrics: Mapping[str, float]) -> Goals | None:
        """Objectives and violations; None if one of them is undefined."""
        scores = [metrics.get(objective.metric) for objective in self._config.objectives]
        missed = {one.name: one.violation(metrics) for one in self._config.constraints}
        if None in scores or None in missed.values():
            return None
        return [float(score or 0.0) for score in scores], {name: float(v or 0.0) for name, v in missed.items()}

    def _params(self, proposed: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any] | None:
        """The values of what is spanned and means something; None if one lies outside, as explicit ones may."""
        values = {name: proposed.get(name, others.get(name, _ABSENT)) for name in self._distributions}
        active = self._activation.active(values)
        if all(is_inside(self._distributions[name], value) for name, value in active.items()):
            return active
        return None

    def _set_params(self, trial: int, params: Mapping[str, Any]) -> None:
        for name, value in params.items():
            distribution = self._distributions[name]
            self._storage.set_trial_param(trial, name, distribution.to_internal_repr(value), distribution)

    def _reserve(self, count: int) -> None:
        while len(self._ids) < count:
            self._ids.append(self._storage.create_new_trial(self._study._study_id))

    def _set_generation(self, number: int, seen: str, genetic: Generations) -> None:
        """Optuna works out a trial's generation when it is asked for; here it follows from what had been seen then."""
        if len(self._generations) < len(self._ids):
            grown = np.full(2 * len(self._ids), -1)
            grown[: len(self._generations)] = self._generations
            self._generations = grown
        known = self._generations[expand(seen)]
        newest = max(0, int(known.max(initial=0)))
        there = np.count_nonzero(known == newest) + (self._warm_count if newest == 0 else 0)
        generation = newest + int(there >= genetic.population)
        self._generations[number] = generation
        self._storage.set_trial_system_attr(self._ids[number], genetic.key, generation)
        # a latecomer to a generation whose descendants were selected already: select again
        for name in self._storage.get_study_system_attrs(self._study._study_id):
            if name.startswith(genetic.cache) and int(name.removeprefix(genetic.cache)) > generation:
                self._storage.set_study_system_attr(self._study._study_id, name, None)


def replay_mirror(config: StudyConfig, rows: Sequence[TrialRow]) -> Mirror:
    """A mirror that has asked for every trial of `rows` (ended, by number) what was asked for it, then told them all.

    For cmaes, whose state travels with its trials. What a trial had seen only ever grows with its number.
    """
    mirror, by_number = Mirror(config), {row.number: row for row in rows}
    for row in rows:
        if row.seen is not None:  # else it was given explicitly
            for known in expand(row.seen):
                if known not in mirror.told:
                    mirror.tell(by_number[known])
            mirror.ask(row.number)
    for row in rows:
        if row.number not in mirror.told:
            mirror.tell(row)
    return mirror


def _known_violations(config: StudyConfig, row: TrialRow) -> dict[str, float]:
    known = {one.name: one.violation(row.metrics) for one in config.constraints}
    return {name: violation for name, violation in known.items() if violation is not None}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's announcements of a study that nobody can find and of packages that would make it faster."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)


_ABSENT = object()
