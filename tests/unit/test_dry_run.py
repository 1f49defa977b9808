"""A dry run on a cluster: what fits nowhere is refused, workers that are not there yet count, neighbours slow down."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config

from study.cli import main
from study.config import RunConfig, StudyConfig
from study.costs.estimate import TimedTrial
from study.costs.side_by_side import means, sharing
from study.errors import StudyMismatch, UsageError
from study.execution.on_ray.session import Session
from study.ledger import Ledger
from study.operations.dry_run import dry_run
from tests.studies_for_tests import a_study

pytestmark = pytest.mark.slow

INFRA = Path(__file__).parents[2] / "infra"
HEAD = (0.0, 0.0)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes this machine seem the head of a cluster; returns a function that says with which machines, then and now."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def of(before: tuple[tuple[float, float], ...], after: tuple[tuple[float, float], ...], file: str | None) -> None:
        if file is not None:
            config = prepare_config(yaml.safe_load((INFRA / file).read_text()))
            (tmp_path / "ray_bootstrap_config.yaml").write_text(yaml.safe_dump(config))

        @contextmanager
        def joined(_run: RunConfig) -> Iterator[Session]:
            yield Session(0.0, 0.0, tmp_path, local=False, machines=before)

        monkeypatch.setattr("study.settings.machine.check_cluster", lambda _run: None)  # there is none to knock at
        monkeypatch.setattr("study.execution.on_ray.session.ray_session", joined)
        monkeypatch.setattr("study.execution.on_ray.session.machines_there", lambda: after)

    return of


def _asked(tmp_path: Path, **run: Any) -> StudyConfig:
    return a_study(tmp_path, trials=6, run={"address": "auto", **run})


def _timed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Replaces the training; returns the list of how many were at once, filled as they are."""
    asked: list[int] = []

    def timed(_trials: Any, _data_dir: str, _run: RunConfig, neighbours: int) -> list[TimedTrial]:
        asked.append(neighbours)
        return [TimedTrial(60.0, whole=True)] * 3

    monkeypatch.setattr("study.operations.dry_run.timed_together", timed)
    return asked


@pytest.mark.parametrize("most", [None, 3])
def test_a_trial_that_fits_nowhere_is_refused_before_one_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Any, most: int | None
) -> None:
    cluster((HEAD,), (HEAD,), "cluster.yaml")
    asked = _timed(monkeypatch)
    nowhere, nobody = "no machine of this cluster holds such a trial", "a trial computes on one GPU"
    for impossible, said in (({"gpus_per_trial": 2}, nobody), ({"cpus_per_trial": 8}, nowhere)):
        with pytest.raises(UsageError, match=said):
            list(dry_run(_asked(tmp_path, max_concurrent=most, **impossible)))
    assert not asked


def test_machines_are_counted_where_a_cluster_starts_from_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Any
) -> None:
    cluster((HEAD,), (HEAD,), "cluster.yaml")  # as if the worker that the training was on were gone again
    asked = _timed(monkeypatch)
    said = "\n".join(dry_run(_asked(tmp_path, gpus_per_trial=0.25)))
    assert "about 1:00 on 2 machines of the cluster, 6 at once" in said
    assert asked == [4], "four trials share a GPU"
    assert "4 at a time, as many as will share a GPU" in said
    assert "stays for 5 more after its last" in said


def test_machines_are_counted_that_another_program_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Any
) -> None:
    cluster((HEAD,), (HEAD, (2.0, 0.0)), None)  # Kubernetes: no cluster file here
    asked = _timed(monkeypatch)
    said = "\n".join(dry_run(_asked(tmp_path, max_concurrent=6)))
    assert "on 3 machines of the cluster, 6 at once" in said
    assert asked == [1], "nobody knew yet how many share a machine"
    assert "Workers come and go" not in said


def test_no_more_at_once_than_the_cluster_will_ever_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Any
) -> None:
    cluster((HEAD,), (HEAD,), "cluster.yaml")
    _timed(monkeypatch)
    assert "on 6 machines of the cluster, 6 at once" in "\n".join(dry_run(_asked(tmp_path, gpus_per_trial=1)))
    many = _asked(tmp_path, gpus_per_trial=1, max_concurrent=1000).model_copy(update={"trials": 80})
    assert "on 8 machines of the cluster, 8 at once" in "\n".join(dry_run(many))


def test_who_slows_whom_down() -> None:
    assert sharing(RunConfig(), slots=32, on_one=4) == 4, "a machine's memory and caches"
    assert sharing(RunConfig(), slots=2, on_one=4) == 2
    assert sharing(RunConfig(), slots=32, on_one=0) == 1
    assert sharing(RunConfig(gpus_per_trial=0.25), slots=32, on_one=0) == 4
    assert sharing(RunConfig(gpus_per_trial=0.25), slots=32, on_one=2) == 2, "a machine of two cores"
    assert sharing(RunConfig(gpus_per_trial=0.25), slots=64, on_one=32) == 4, "a machine of eight GPUs"
    assert sharing(RunConfig(gpus_per_trial=2), slots=4, on_one=4) == 1


def test_trials_timed_several_times_count_once() -> None:
    one = {0: TimedTrial(1.0, True), 1: TimedTrial(2.0, True)}
    other = {1: TimedTrial(4.0, True, levels=False), 0: TimedTrial(3.0, False), 2: TimedTrial(5.0, True)}
    expected = [TimedTrial(2.0, False), TimedTrial(3.0, True, levels=False), TimedTrial(5.0, True)]
    assert means([one, other]) == expected


@pytest.mark.ends
def test_two_trials_are_timed_side_by_side_for_real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["training.epochs=2", "compression.depth=1", "replicates=2", "model.width=8", "data.train_size=200"]
    settings = [argument for setting in small for argument in ("--set", setting)]
    two = ["--trials", "7", "--max-concurrent", "2", "--cpus-per-trial", "0.5"]
    assert main(["launch", "--dry-run", *two, "--home", str(tmp_path / "home"), *settings]) == 0
    said = capsys.readouterr().out
    assert "3 of its trials were trained just now" in said
    assert "2 at a time, as many as will share a machine" in said
    assert not list((tmp_path / "home").glob("*"))


def test_the_name_of_another_study_is_refused_as_a_launch_would(tmp_path: Path) -> None:
    there = a_study(tmp_path)
    Ledger.create(there.ledger_url, there).close()
    with pytest.raises(StudyMismatch, match="these fields differ"):
        list(dry_run(there.model_copy(update={"seed": 9})))
    with pytest.raises(UsageError, match="--name mlruns"):
        list(dry_run(there.model_copy(update={"name": "mlruns"})))
