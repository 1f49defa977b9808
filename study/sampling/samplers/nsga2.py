"""NSGA-II (Deb et al. 2002): a genetic algorithm for several objectives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from study.sampling.interfaces import Generations, LearningSampler

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler, NSGAIISampler
    from optuna.trial import FrozenTrial

POPULATION = 50


class Nsga2(LearningSampler):
    """Looks at the first fifty trials once they have ended; before, it draws at random."""

    name = "nsga2"
    keeps_bounds = True

    def optuna(self, study_seed: int, number: int, warm: Sequence[FrozenTrial]) -> BaseSampler:
        """With a population of fifty."""
        return _sampler()(population_size=POPULATION, seed=self.seed(study_seed, number))

    def generations(self) -> Generations:
        """As Optuna names them."""
        kind = _sampler()
        return Generations(kind._get_generation_key(), kind._get_parent_cache_key_prefix(), POPULATION)


@cache
def _sampler() -> type[NSGAIISampler]:
    """Optuna's, whose parents come in the order of their numbers.

    Its own come in one order in the ask that selects them and in another in all later ones, from the cache: a process
    that resumes a study, and selects anew, would go on differently.
    """
    from optuna.samplers import NSGAIISampler

    class SortedNSGAII(NSGAIISampler):
        def select_parent(self, study: Study, generation: int) -> list[FrozenTrial]:
            return sorted(super().select_parent(study, generation), key=lambda trial: trial.number)

    return SortedNSGAII


ENTRY = Nsga2
