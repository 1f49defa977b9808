"""Covariance matrix adaptation (Hansen 2016, arXiv:1604.00772)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from study.sampling.interfaces import LearningSampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial


class CmaEs(LearningSampler):
    """For ranges and one objective."""

    name = "cmaes"
    one_objective = True
    needs_ranges = True
    carries_state = True
    least_warm = 10  # its first distribution is fitted to the best tenth
    package = "cmaes"

    def optuna(self, study_seed: int, number: int, warm: Sequence[FrozenTrial]) -> BaseSampler:
        """Starts from the distribution of the best warm trials, if there are any."""
        from optuna.samplers import CmaEsSampler

        seed = self.seed(study_seed, number)
        return CmaEsSampler(seed=seed, warn_independent_sampling=False, source_trials=list(warm) or None)


ENTRY = CmaEs
