"""How many trials a cluster file makes room for, before any worker is there."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config

from study.config import RunConfig
from study.errors import UsageError
from study.execution.on_ray.capacity import fit, most_on_one, most_trials, planned_capacity
from study.execution.on_ray.session import Session
from study.settings.machine import require_one_gpu

INFRA = Path(__file__).parents[2] / "infra"
HEAD = (0.0, 0.0)


def on_head(tmp_path: Path, name: str, **changes: Any) -> Path:
    """What `ray up` leaves on the head of a cluster of that file."""
    config = prepare_config(yaml.safe_load((INFRA / name).read_text()) | changes)
    path = tmp_path / "ray_bootstrap_config.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def run(**fields: Any) -> RunConfig:
    return RunConfig(**fields)


def test_workers_that_are_not_there_yet_count(tmp_path: Path) -> None:
    aws = on_head(tmp_path, "cluster.yaml")  # eight workers at most, four CPUs and a GPU each, none at first
    assert most_trials(run(), [HEAD], aws) == 32
    assert most_trials(run(gpus_per_trial=0.25), [HEAD], aws) == 32
    assert most_trials(run(gpus_per_trial=1), [HEAD], aws) == 8
    assert most_trials(run(cpus_per_trial=4), [HEAD], aws) == 8


def test_no_more_workers_than_the_cluster_may_have(tmp_path: Path) -> None:
    assert most_trials(run(), [HEAD], on_head(tmp_path, "cluster.yaml", max_workers=3)) == 12


def test_machines_of_your_own_are_as_those_that_have_joined(tmp_path: Path) -> None:
    local = on_head(tmp_path, "local.yaml")
    assert most_trials(run(), [HEAD, (6.0, 0.0)], local) == 12
    assert most_trials(run(cpus_per_trial=2), [HEAD, (6.0, 0.0), (6.0, 0.0)], local) == 6
    assert most_trials(run(), [HEAD], local) == 2, "none has joined: one trial each, for now"


def test_without_a_file_what_is_there_counts(tmp_path: Path) -> None:
    absent = tmp_path / "none.yaml"
    assert most_trials(run(), [HEAD, (4.0, 1.0), (4.0, 1.0)], absent) == 8
    assert most_trials(run(gpus_per_trial=0.5), [HEAD, (4.0, 1.0), (4.0, 1.0)], absent) == 4
    assert most_trials(run(), [HEAD], absent) == 1


def test_a_trial_that_will_never_fit_is_refused(tmp_path: Path) -> None:
    aws = on_head(tmp_path, "cluster.yaml")
    with pytest.raises(UsageError, match=r"--cpus-per-trial 8 .* gpu \(4 CPUs, 1 GPUs\)"):
        most_trials(run(cpus_per_trial=8), [HEAD], aws)
    with pytest.raises(UsageError, match="--gpus-per-trial 2"):
        most_trials(run(gpus_per_trial=2), [HEAD], aws)


def test_nor_is_it_made_to_wait_by_asking_for_some_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_head(tmp_path, "cluster.yaml")
    monkeypatch.setenv("HOME", str(tmp_path))
    session = Session(4.0, 1.0, tmp_path, local=False, machines=(HEAD, (4.0, 1.0)))
    assert session.slots(run(max_concurrent=3, gpus_per_trial=1)) == 3
    with pytest.raises(UsageError, match="--gpus-per-trial 2"):
        session.slots(run(max_concurrent=3, gpus_per_trial=2))


def test_of_your_own_machines_those_that_have_joined_tell(tmp_path: Path) -> None:
    local = on_head(tmp_path, "local.yaml")
    with pytest.raises(UsageError, match="has machines of 4 CPUs and 0 GPUs so far"):
        most_trials(run(cpus_per_trial=8), [HEAD, (4.0, 0.0)], local)
    assert most_trials(run(cpus_per_trial=8), [HEAD], local) == 2, "nobody knows what they will be"


def test_the_machine_that_holds_most(tmp_path: Path) -> None:
    aws, absent = on_head(tmp_path, "cluster.yaml"), tmp_path / "none.yaml"
    assert most_on_one(run(), [HEAD], aws) == 4, "none is there yet, the file says what one will be"
    assert most_on_one(run(), [HEAD, (6.0, 0.0)], aws) == 6
    local = on_head(tmp_path, "local.yaml")
    assert most_on_one(run(), [HEAD], local) == 0
    assert most_on_one(run(), [HEAD, (6.0, 0.0)], local) == 6
    assert most_on_one(run(), [HEAD, (2.0, 0.0)], absent) == 2


def test_who_waits_for_work_costs_where_machines_are_started(tmp_path: Path) -> None:
    bought, own = planned_capacity(on_head(tmp_path, "cluster.yaml")), planned_capacity(on_head(tmp_path, "local.yaml"))
    assert bought is not None
    assert own is not None
    assert (bought.idle_minutes, own.idle_minutes) == (5.0, None)


def test_a_trial_has_its_share_of_one_gpu() -> None:
    """As Ray places them: what is left of one GPU and of another makes no place for a trial."""
    assert fit(8, 1, run(gpus_per_trial=0.1)) == 8
    assert fit(16, 1, run(gpus_per_trial=0.1)) == 10
    assert fit(0.3, 0, run(cpus_per_trial=0.1)) == 3
    assert fit(16, 2, run(gpus_per_trial=0.4)) == 4
    assert fit(16, 2, run(gpus_per_trial=0.6)) == 2
    assert fit(16, 3, run(gpus_per_trial=1)) == 3
    assert fit(16, 2, run(gpus_per_trial=0.3)) == 6
    assert fit(64, 2, run(gpus_per_trial=0.16667)) == 12, "0.1666 to Ray"
    assert fit(64, 1, run(gpus_per_trial=0.33334)) == 3
    assert fit(64, 1, run(gpus_per_trial=0.142857)) == 7


def test_what_ray_can_not_count_is_refused() -> None:
    for fields in ({"gpus_per_trial": 0.00001}, {"cpus_per_trial": 0.00001}):
        with pytest.raises(UsageError, match=r"Ray counts in steps of 0\.0001"):
            require_one_gpu(run(**fields))


def test_ray_places_as_many_as_are_counted(tmp_path: Path) -> None:
    for share, counted in ((0.4, 4), (0.6, 2), (0.25, 8), (1.0, 2)):
        here = Session(16.0, 2.0, tmp_path, local=True, machines=((16.0, 2.0),))
        assert here.slots(run(gpus_per_trial=share)) == counted


@pytest.mark.parametrize("gpus", [1.5, 2])
def test_more_than_a_gpu_is_refused_with_the_reason(gpus: float, tmp_path: Path) -> None:
    session = Session(16.0, 2.0, tmp_path, local=True, machines=((16.0, 2.0),))
    with pytest.raises(UsageError, match=r"--gpus-per-trial .*: a trial computes on one GPU"):
        session.slots(run(gpus_per_trial=gpus))
