"""A Gaussian process with the logarithm of expected improvement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from study.sampling.interfaces import LearningSampler

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial


class Gp(LearningSampler):
    """Best for few, slow trials; also knows the parameters of those that run."""

    name = "gp"
    keeps_bounds = True
    watches_running = True

    def optuna(self, study_seed: int, number: int, warm: Sequence[FrozenTrial]) -> BaseSampler:
        """With Optuna's settings."""
        from optuna.samplers import GPSampler

        return GPSampler(seed=self.seed(study_seed, number), warn_independent_sampling=False)


ENTRY = Gp
