"""How many trials a cluster file makes room for, before any worker is there."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config

from study.config import RunConfig
from study.errors import UsageError
from study.execution.capacity import fit, most_trials

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


def test_thirds_of_a_gpu_add_up() -> None:
    assert fit(8, 1, run(gpus_per_trial=0.1)) == 8
    assert fit(16, 1, run(gpus_per_trial=0.1)) == 10
    assert fit(0.3, 0, run(cpus_per_trial=0.1)) == 3
