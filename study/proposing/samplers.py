"""Optuna's samplers, made anew for each ask and seeded by study and number, and what each of them can't do.

Where one of them would remember something between asks, or look at what nobody could look up later, it is bent here.
"""

import importlib.util
import warnings
from collections.abc import Sequence

from optuna import Study
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, NSGAIIISampler, NSGAIISampler, TPESampler
from optuna.samplers._ga import BaseGASampler
from optuna.samplers._lazy_random_state import LazyRandomState
from optuna.samplers._nsgaiii._elite_population_selection_strategy import NSGAIIIElitePopulationSelectionStrategy
from optuna.trial import FrozenTrial

from study.config import StudyConfig
from study.errors import UsageError
from study.proposing.draws import derive

POPULATION = 50


class SortedNSGAII(NSGAIISampler):
    """NSGA-II whose parents come in the order of their numbers.

    Optuna's own come in one order in the ask that selects them and in another in all later ones, from the cache: a
    process that resumes a study, and selects anew, would go on differently.
    """

    def select_parent(self, study: Study, generation: int) -> list[FrozenTrial]:
        """The elite of the generation before."""
        return sorted(super().select_parent(study, generation), key=lambda trial: trial.number)


class SortedNSGAIII(NSGAIIISampler):
    """NSGA-III likewise; what it draws when it selects depends on the generation, not on who asks first.

    Args:
        study_seed: Of the study.
        seed: Of this ask.
    """

    def __init__(self, study_seed: int, seed: int) -> None:
        super().__init__(population_size=POPULATION, seed=seed)
        self._study_seed = study_seed

    def select_parent(self, study: Study, generation: int) -> list[FrozenTrial]:
        """The elite of the generation before."""
        draws = LazyRandomState(_seed(self._study_seed, "nsga3", "generation", generation))
        self._elite_population_selection_strategy = NSGAIIIElitePopulationSelectionStrategy(
            population_size=POPULATION, rng=draws
        )
        return sorted(super().select_parent(study, generation), key=lambda trial: trial.number)


GENETIC: dict[str, type[BaseGASampler]] = {"nsga2": SortedNSGAII, "nsga3": SortedNSGAIII}


def made(config: StudyConfig, number: int, warm: Sequence[FrozenTrial]) -> BaseSampler:
    """The study's sampler for one ask.

    Args:
        number: Of the trial to propose.
        warm: Trials of another study; only cmaes takes them here, for its first distribution.
    """
    seed = _seed(config.seed, config.sampler, number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        match config.sampler:
            case "tpe":
                # A constant liar would also look at what runs just now, which this process may not know.
                # One model of all parameters sees what belongs together, and takes half the time of one model for each.
                return TPESampler(seed=seed, constant_liar=False, multivariate=True)
            case "gp":
                return GPSampler(seed=seed, warn_independent_sampling=False)
            case "cmaes":
                return CmaEsSampler(seed=seed, warn_independent_sampling=False, source_trials=list(warm) or None)
            case "nsga2":
                return SortedNSGAII(population_size=POPULATION, seed=seed)
            case "nsga3":
                return SortedNSGAIII(config.seed, seed)
            case other:
                raise ValueError(f"{other} does not adapt")


def check(config: StudyConfig) -> None:
    """Refuses what the study's sampler can't do.

    Raises:
        UsageError: Says which, and what to take instead.
    """
    sampler, space = config.sampler, config.space
    if not space.span:
        raise UsageError(f"sampler={sampler} has nothing to choose: span a field, e.g. model.width=16..512:log")
    if sampler != "tpe" and (conditional := space.activation.conditional):
        raise UsageError(
            f"sampler={sampler} can't learn {conditional[0]}, which only some trials have; "
            "take sampler=tpe, design, qmc, random or grid"
        )
    if sampler == "cmaes":
        _check_cmaes(config, space.distributions())


def _check_cmaes(config: StudyConfig, distributions: dict[str, BaseDistribution]) -> None:
    if len(config.objectives) > 1:
        asked = ", ".join(objective.metric for objective in config.objectives)
        raise UsageError(
            f"sampler=cmaes optimises one objective, not {len(config.objectives)} ({asked}); "
            f"choose with --objective {config.objectives[0].metric}, or take sampler=tpe, gp, nsga2 or nsga3"
        )
    lists = [name for name, found in distributions.items() if isinstance(found, CategoricalDistribution)]
    if lists:
        raise UsageError(
            f"sampler=cmaes needs ranges, but {lists[0]} spans a list; write a range, e.g. --set {lists[0]}=16..512,"
            " or take sampler=tpe or gp"
        )
    if importlib.util.find_spec("cmaes") is None:
        raise UsageError("sampler=cmaes needs the package cmaes: pip install 'ockham[cmaes]'")


def _seed(seed: int, *names: str | int) -> int:
    return derive(seed, *names) % 2**32
