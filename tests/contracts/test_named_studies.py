"""Every named study that ships with Ockham."""

import random

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from search_spaces import catalog
from trainables.config import TrialConfig


@pytest.mark.parametrize("name", catalog.names())
def test_twenty_sampled_points_are_trials(name: str) -> None:
    space = catalog.get(name)
    draws = random.Random(name)
    seen = set()
    for _ in range(20):
        point: dict[str, object] = {}
        for key, distribution in space.distributions().items():
            if isinstance(distribution, CategoricalDistribution):
                point[key] = draws.choice(distribution.choices)
            elif isinstance(distribution, IntDistribution):
                point[key] = draws.randint(distribution.low, distribution.high)
            else:
                assert isinstance(distribution, FloatDistribution)
                point[key] = draws.uniform(distribution.low, distribution.high)
        config = space.config(point, seed=3)
        assert isinstance(config, TrialConfig)
        flat = config.flat()
        assert {key: flat[key] for key in point} == point
        seen.add(config.fingerprint())
    assert len(seen) > 1


@pytest.mark.parametrize("name", catalog.names())
def test_it_says_what_it_claims_and_from_where(name: str) -> None:
    space = catalog.get(name)
    assert space.title.endswith("?")
    assert space.claim
    assert space.source


def test_an_unknown_study_is_refused_with_the_closest() -> None:
    with pytest.raises(ValueError, match="Did you mean 'blog'"):
        catalog.get("blgo")
