"""Samplers that learn: TPE and NSGA-II from Optuna, asked so that every proposal can be computed again.

Trial n is proposed from trials below n − LAG that have ended, told in the order of their numbers. With one slot that is
always all of them, so the study comes out the same however often it is interrupted; with more slots the proposal says
which of them had ended (`Proposal.seen`), and asking again with those gives it again. Nothing random is carried over:
each ask has a fresh sampler, seeded by study and number.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from study.config import StudyConfig
from study.errors import UsageError
from study.goals import Objective
from study.ledger.rows import ENDED, Proposal, TrialRow
from study.ledger.seen import compact, expand
from study.proposing.draws import derive
from study.proposing.inside import inside

LAG = 1  # trial n is asked for while n − 1 runs, so it never depends on how that ends
POPULATION = 50
_GENERATION = "SortedNSGAII:generation"  # where Optuna keeps them, under the name of the sampler's class
_PARENTS = "SortedNSGAII:parent:"


class Adaptive:
    """Proposes the trials of an adaptive sampler. Keeps Optuna's view of the study between asks."""

    def __init__(self, config: StudyConfig) -> None:
        if not config.space.span:
            raise UsageError(
                f"sampler={config.sampler} has nothing to choose: span a field, e.g. model.width=16..512:log"
            )
        self._config = config
        self._distributions = config.space.distributions()
        self._mirror: _Mirror | None = None

    def propose(self, number: int, history: Sequence[TrialRow]) -> Proposal:
        """The proposal for trial `number`, given trials that have ended (others in `history` are left out)."""
        usable = {row.number: row for row in history if row.number < number - LAG and row.state in ENDED}
        mirror = self._mirror
        if mirror is None or mirror.asked >= number or not mirror.told <= usable.keys():
            mirror = self._mirror = _Mirror(self._config.objectives, self._distributions)
        for known in sorted(usable.keys() - mirror.told):
            mirror.tell(usable[known])
        seed = derive(self._config.seed, self._config.sampler, number) % 2**32
        params = mirror.ask(number, _sampler(self._config.sampler, seed))
        return Proposal(params, role="explore", seen=compact(usable), number=number)


class _Mirror:
    """The study as Optuna sees it, in memory, under the ledger's numbers; what has not ended is RUNNING there."""

    def __init__(self, objectives: Sequence[Objective], distributions: Mapping[str, BaseDistribution]) -> None:
        self._metrics = [objective.metric for objective in objectives]
        self._distributions = dict(distributions)
        self._storage = InMemoryStorage()
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # else it announces a study that nobody can find
        try:
            self._study = optuna.create_study(
                storage=self._storage, directions=[objective.direction for objective in objectives]
            )
        finally:
            optuna.logging.set_verbosity(verbosity)
        self._ids: list[int] = []
        self._generations = np.full(0, -1)  # of complete trials, by number
        self.told: set[int] = set()
        self.asked = -1

    def tell(self, row: TrialRow) -> None:
        """Ends a trial. Without all objectives it is of no use to a sampler, and FAILED."""
        self._reserve(row.number + 1)
        trial = self._ids[row.number]
        for name, distribution in self._distributions.items():
            if name in row.proposed and inside(distribution, row.proposed[name]):
                internal = distribution.to_internal_repr(row.proposed[name])
                self._storage.set_trial_param(trial, name, internal, distribution)
        scores = [row.metrics[metric] for metric in self._metrics if metric in row.metrics]
        if row.state == "COMPLETE" and len(scores) == len(self._metrics):
            self._set_generation(row)
            self._storage.set_trial_state_values(trial, TrialState.COMPLETE, scores)
        else:
            self._storage.set_trial_state_values(trial, TrialState.FAIL)
        self.told.add(row.number)

    def ask(self, number: int, sampler: BaseSampler) -> dict[str, str | int | float | bool | None]:
        """What `sampler` proposes as trial `number`."""
        self._reserve(number)
        self._study.sampler = sampler
        trial = self._study.ask(self._distributions)
        self._ids.append(trial._trial_id)
        self.asked = trial.number
        return {name: trial.params[name] for name in self._distributions}

    def _reserve(self, count: int) -> None:
        while len(self._ids) < count:
            self._ids.append(self._storage.create_new_trial(self._study._study_id))

    def _set_generation(self, row: TrialRow) -> None:
        """Optuna works out a trial's generation when it is asked for; here it follows from what had been seen then."""
        if len(self._generations) < len(self._ids):
            grown = np.full(2 * len(self._ids), -1)
            grown[: len(self._generations)] = self._generations
            self._generations = grown
        seen = self._generations[expand(row.seen or "")]
        newest = max(0, int(seen.max(initial=0)))
        generation = newest + int(np.count_nonzero(seen == newest) >= POPULATION)
        self._generations[row.number] = generation
        self._storage.set_trial_system_attr(self._ids[row.number], _GENERATION, generation)
        # a latecomer to a generation whose descendants were selected already: select again
        for key in self._storage.get_study_system_attrs(self._study._study_id):
            if key.startswith(_PARENTS) and int(key.removeprefix(_PARENTS)) > generation:
                self._storage.set_study_system_attr(self._study._study_id, key, None)


class SortedNSGAII(NSGAIISampler):
    """NSGA-II whose parents come in the order of their numbers.

    Optuna's own come in one order in the ask that selects them and in another in all later ones, from the cache: a
    process that resumes a study, and selects anew, would go on differently.
    """

    def select_parent(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        """The elite of the generation before."""
        return sorted(super().select_parent(study, generation), key=lambda trial: trial.number)


def _sampler(name: str, seed: int) -> BaseSampler:
    if name == "tpe":
        # A constant liar would also look at what runs just now, which nobody could look up later.
        return TPESampler(seed=seed, constant_liar=False)
    return SortedNSGAII(population_size=POPULATION, seed=seed)
