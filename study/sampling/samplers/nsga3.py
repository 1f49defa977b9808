"""NSGA-III (Deb & Jain 2014): a genetic algorithm for many objectives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from study.sampling.interfaces import Generations, LearningSampler

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

POPULATION = 50


class Nsga3(LearningSampler):
    """Looks at the first fifty trials once they have ended; before, it draws at random."""

    name = "nsga3"
    keeps_bounds = True

    def optuna(self, study_seed: int, number: int, warm: Sequence[FrozenTrial]) -> BaseSampler:
        """With a population of fifty."""
        sampler: BaseSampler = _sampler()(population_size=POPULATION, seed=self.seed(study_seed, number))
        vars(sampler)["seed_of"] = partial(self.seed, study_seed, "generation")
        return sampler

    def generations(self) -> Generations:
        """As Optuna names them."""
        kind = _sampler()
        return Generations(kind._get_generation_key(), kind._get_parent_cache_key_prefix(), POPULATION)


@cache
def _sampler() -> Any:
    """Optuna's, with parents in the order of their numbers.

    What it draws when it selects depends on the generation, not on who asks first.
    """
    from optuna.samplers import NSGAIIISampler
    from optuna.samplers._lazy_random_state import LazyRandomState
    from optuna.samplers._nsgaiii._elite_population_selection_strategy import NSGAIIIElitePopulationSelectionStrategy

    class SortedNSGAIII(NSGAIIISampler):
        seed_of: Callable[[int], int]

        def select_parent(self, study: Study, generation: int) -> list[FrozenTrial]:
            self._elite_population_selection_strategy = NSGAIIIElitePopulationSelectionStrategy(
                population_size=POPULATION, rng=LazyRandomState(self.seed_of(generation))
            )
            return sorted(super().select_parent(study, generation), key=lambda trial: trial.number)

    return SortedNSGAIII


ENTRY = Nsga3
