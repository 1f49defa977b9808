"""Every named study that ships with Ockham."""

import random
import subprocess
import sys

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from search_spaces import catalog
from search_spaces.carrying import carry_claims
from search_spaces.named_study import SIZES, NamedStudy, Size
from study.answer.claim_samples import planned_units, settings_by
from study.answer.claim_values import matching, trials_of_claim
from study.config import StudyConfig
from study.errors import UsageError
from study.settings.loading import LaunchOptions, load_study
from study.settings.verdicts import plan_of
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


@pytest.mark.parametrize("name", catalog.names())
def test_it_comes_in_sizes_that_carry_its_claims(name: str) -> None:
    study = catalog.study(name)
    assert study.known_sizes == SIZES
    for size in SIZES:
        space = catalog.get(name, size)
        assert space.title == study.space.title
        _, left_out = carry_claims(space)
        assert left_out == (), (size, left_out)
    assert study.differs


@pytest.mark.parametrize("name", catalog.names())
def test_small_plans_eight_units_for_every_claim(name: str) -> None:
    space, _ = carry_claims(catalog.get(name, "small"))
    config = StudyConfig(name=name, space=space, trials=space.trials)
    plan = plan_of(config)
    for claim in space.claims:
        if claim.role == "placebo" and any(name not in space.span for name in claim.where):
            continue  # of settings that nobody has asked for here
        for setting in settings_by(claim, space) or [{}]:
            mine = trials_of_claim(claim, plan[matching(plan, setting)])
            assert planned_units(claim, mine) >= 8, (claim.name, setting, planned_units(claim, mine))


def test_a_size_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"blog, --size smal.*Did you mean 'small'"):
        catalog.get("blog", "smal")
    with pytest.raises(ValueError, match="small is the size of the space itself"):
        NamedStudy(space=catalog.get("redundancy"), size="small", sizes={"small": Size(trials=3)})


def test_studies_are_stated_without_torch() -> None:
    said = "import sys; from search_spaces import catalog; [catalog.get(n) for n in catalog.names()]; "
    done = subprocess.run([sys.executable, "-c", f"{said}sys.exit('torch' in sys.modules)"], check=False)
    assert done.returncode == 0, "a command that only names a study would wait seconds for it"


def test_a_size_is_part_of_what_a_study_is_called() -> None:
    small, own = (load_study(LaunchOptions(source="blog", size=size)).config for size in ("small", None))
    assert (small.name, small.trials, own.name, own.trials) == ("blog-small", 24, "blog", 12)
    assert small.space.base["data.name"] == "digits"
    assert small.fingerprint() != own.fingerprint()
    assert load_study(LaunchOptions(source="blog", size="paper")).config == own
    with pytest.raises(UsageError, match="named studies come in sizes"):
        load_study(LaunchOptions(source="mine.yaml", size="small"))
