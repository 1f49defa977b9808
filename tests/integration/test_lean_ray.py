"""What Ray is spared for each trial, counted."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray.air.execution._internal.actor_manager import RayActorManager
from ray.tune import registry
from ray.tune.execution.tune_controller import TuneController

from study import tested_versions
from study.execution.driver import run
from study.execution.on_ray import session as ray_session
from study.execution.on_ray.lean import lean_and_private, lean_tune
from study.ledger import Ledger
from tests.integration import trials_for_tests
from tests.integration.driving import config

pytestmark = pytest.mark.slow


@pytest.mark.ends
@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")  # Ray forgot them; we end them
def test_after_a_ray_that_did_not_start_each_slot_starts_one_worker_and_trials_ask_the_control_store_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(ray_session, "cpus", lambda: -1)  # which Ray refuses
        outcome = run(config(tmp_path, "lean", 24), trial=trials_for_tests.quick)
    assert outcome.exit_code == 130
    assert outcome.reason.startswith("Ray did not start")

    calls: Counter[str] = Counter()

    def counted(place: Any, name: str) -> None:
        real = getattr(place, name)

        def call(*arguments: Any, **options: Any) -> Any:
            calls[name] += 1
            return real(*arguments, **options)

        monkeypatch.setattr(place, name, call)

    counted(RayActorManager, "add_actor")
    counted(registry, "_internal_kv_get")
    assert run(config(tmp_path, "lean", 24), trial=trials_for_tests.quick).exit_code == 0
    assert calls["add_actor"] == 2
    assert calls["_internal_kv_get"] < 24


@pytest.mark.parametrize(("has_resources", "takes"), [(True, False), (False, True)])
def test_a_free_worker_goes_to_a_trial_unless_its_own_is_starting(
    has_resources: bool, takes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for resources that the free worker holds would wait for ever."""
    monkeypatch.setattr(TuneController, "_maybe_reuse_cached_actor", lambda _tune, _trial: True)
    manager = SimpleNamespace(is_actor_started=lambda _actor: has_resources)
    tune: Any = SimpleNamespace(_resetting_trials=set(), _trial_to_actor={"trial": "own"}, _actor_manager=manager)
    with lean_tune(2, Path("results")):
        assert TuneController._maybe_reuse_cached_actor(tune, "trial") == takes
        assert TuneController._maybe_reuse_cached_actor(tune, "without an own one")
    assert TuneController._maybe_reuse_cached_actor(tune, "trial"), "as it was"


def test_what_tune_asks_of_a_head_that_is_gone_ends_with_the_study() -> None:
    with lean_tune(2, Path("results"), stopping=lambda: True):
        assert ray.cluster_resources()["CPU"] == 1.0
    with pytest.raises(ray.exceptions.RaySystemError):
        ray.cluster_resources()


@pytest.fixture
def another_version(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tested_versions, "TESTED", dict.fromkeys(tested_versions.TESTED, ("0.1",)))
    tested_versions.is_tested.cache_clear()
    yield
    tested_versions.is_tested.cache_clear()


@pytest.mark.usefixtures("another_version")
def test_nothing_of_another_version_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = TuneController._maybe_reuse_cached_actor
    for _ in range(2):
        with lean_and_private(), lean_tune(2, tmp_path):
            assert TuneController._maybe_reuse_cached_actor is before
    assert sum("which was tested" in record.message for record in caplog.records) == 2


@pytest.mark.kills
@pytest.mark.usefixtures("another_version")
def test_with_another_version_a_study_ends_the_same(tmp_path: Path) -> None:
    """A minute: a whole Ray starts, and workers come one at a time. What failed still says why."""
    asked = config(tmp_path, "other", 4)
    assert run(asked, trial=trials_for_tests.some_fail).exit_code == 3
    ledger = Ledger.open(asked.ledger_url, "other")
    rows = ledger.trials()
    assert [row.state for row in rows] == ["COMPLETE", "FAILED", "FAILED", "COMPLETE"]
    assert all(row.error for row in rows if row.state == "FAILED")
    ledger.close()
