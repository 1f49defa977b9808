"""Optuna's tables beside the ledger: the same trials under the same numbers, whatever was killed."""

import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from search_spaces.space import Choices, Range
from study import api
from study.ledger import Ledger, Proposal
from study.proposing import Proposer
from study.tracking.optuna_projection import OptunaProjection, project
from tests.integration.postgresql_for_tests import postgresql
from tests.studies_for_tests import TUNED, a_ledger, a_study
from trainables.record import Record

SPAN = {"data.label_noise": Choices(values=(0, 0.5, 1)), "model.width": Range(low=16, high=64, log=True)}


def summary(**metrics: float) -> list[Record]:
    return [Record("summary", 0, {f"compressibility/{name}": value for name, value in metrics.items()})]


def filled(home: Path, url: str | None = None) -> Ledger:
    """Six trials: complete, failed, pruned, complete without a value, running, queued."""
    config = a_study(home, span=SPAN, trials=6)
    ledger = Ledger.create(url or config.ledger_url, config)
    ledger.acquire()
    proposer = Proposer(ledger.config)
    ledger.propose([proposer.propose(number) for number in range(6)])
    for number in range(5):
        ledger.start_attempt(number)
    ledger.finish(0, 1, "COMPLETE", records=summary(auc=0.5))
    ledger.finish(1, 1, "FAILED", error="ValueError: no")
    ledger.finish(2, 1, "PRUNED")
    reason = {"undefined/compressibility/auc": "no network fitted"}
    ledger.finish(3, 1, "COMPLETE", records=[Record("summary", 0, {}, reason)])
    return ledger


EXPECTED = [TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED, TrialState.FAIL, TrialState.RUNNING]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_optuna_s_own_tools_read_the_study(database: str, tmp_path: Path) -> None:
    if database == "sqlite":
        check_reading(filled(tmp_path))
    else:
        with postgresql() as url:
            check_reading(filled(tmp_path, url))


def check_reading(ledger: Ledger) -> None:
    project(ledger)
    storage = optuna.storages.RDBStorage(ledger.url.replace("postgresql://", "postgresql+psycopg://"))
    study = optuna.load_study(study_name="tiny", storage=storage)
    trials = study.trials
    assert [trial.number for trial in trials] == list(range(5)), "what waits at the end is not there yet"
    assert [trial.state for trial in trials] == EXPECTED
    assert study.best_value == 0.5
    assert study.metric_names == ["compressibility/auc"]
    for trial, row in zip(trials, ledger.trials(), strict=False):
        assert trial.params == row.proposed
        assert (trial.user_attrs["role"], trial.user_attrs["uid"]) == ("design", row.uid)
        assert trial.user_attrs["condition"]["data.label_noise"] == row.params["data.label_noise"]
    assert trials[1].user_attrs["error"] == "ValueError: no"
    assert trials[3].user_attrs["ockham/state"] == "COMPLETE"
    assert trials[3].user_attrs["undefined"] == {"compressibility/auc": "no network fitted"}
    assert trials[0].datetime_complete is not None
    storage.engine.dispose()


def test_projecting_again_changes_nothing_and_going_on_adds_what_is_new(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    projection = OptunaProjection(ledger)
    assert projection.sync() == 5
    before = optuna_trials(ledger)
    assert projection.sync() == 0
    project(ledger)
    assert optuna_trials(ledger) == before
    ledger.finish(4, 1, "COMPLETE", records=summary(auc=0.9))
    ledger.finish(5, ledger.start_attempt(5), "COMPLETE", records=summary(auc=0.1))
    assert projection.sync() == 2
    after = optuna_trials(ledger)
    assert after[:4] == before[:4]
    assert [(trial.state, trial.values) for trial in after[4:]] == [
        (TrialState.COMPLETE, [0.9]),
        (TrialState.COMPLETE, [0.1]),
    ]


def test_a_trial_that_started_out_of_turn_waits_for_no_one(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=3)
    ledger.finish(2, ledger.start_attempt(2), "COMPLETE", records=summary(auc=0.3))
    project(ledger)
    assert [trial.state for trial in optuna_trials(ledger)] == [TrialState.WAITING] * 2 + [TrialState.COMPLETE]
    for number in (0, 1):
        ledger.finish(number, ledger.start_attempt(number), "COMPLETE", records=summary(auc=0.1))
    project(ledger)
    assert [trial.values for trial in optuna_trials(ledger)] == [[0.1], [0.1], [0.3]]


def test_explicit_configurations_outside_the_space_keep_their_values(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    ledger.propose([Proposal({"model.width": 1000, "data.label_noise": 1, "training.epochs": 3})])
    ledger.start_attempt(0)
    project(ledger)
    (trial,) = optuna_trials(ledger)
    assert trial.params == {"data.label_noise": 1}
    assert trial.user_attrs["params"] == {"model.width": 1000, "training.epochs": 3}


def test_an_exploring_study_has_its_own_objectives(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, span=TUNED, sampler="tpe")
    ledger.propose([Proposer(ledger.config).propose(0)])
    metrics = {"contrast/auc": 0.2, "control/val/accuracy": 0.9}
    ledger.finish(0, ledger.start_attempt(0), "COMPLETE", records=[Record("summary", 0, metrics)])
    project(ledger)
    assert optuna_trials(ledger)[0].values == [0.2, 0.9]


KILLED = """
    import sys
    from study.ledger import Ledger
    from study.tracking.optuna_projection import project
    print("go", flush=True)
    project(Ledger.open(sys.argv[1], "tiny"))
"""


@pytest.mark.ends
def test_kills_at_any_point_are_repaired(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=60)
    for number in range(60):
        ledger.start_attempt(number)
    stop = threading.Event()

    def drive() -> None:
        for number in range(60):
            ledger.finish(number, 1, "COMPLETE", records=summary(auc=number / 100))
            stop.wait(0.05)

    driving = threading.Thread(target=drive)
    driving.start()
    try:
        for delay in (0.9, 1.1, 1.3, 1.5, 1.7, 1.9, 60):
            process = subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(KILLED), ledger.url], stdout=subprocess.PIPE, text=True
            )
            with process:
                if process.stdout is None:
                    raise RuntimeError("no pipe")
                process.stdout.readline()
                try:
                    process.wait(timeout=delay)
                except subprocess.TimeoutExpired:
                    process.kill()
    finally:
        stop.set()
        driving.join()
    project(ledger)
    trials = optuna_trials(ledger)
    assert [(trial.number, trial.values) for trial in trials] == [(number, [number / 100]) for number in range(60)]


def test_what_is_left_of_a_deleted_study_goes_and_a_stranger_s_study_stays(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    project(ledger)
    ledger.delete()
    successor = a_ledger(tmp_path, proposals=1)
    successor.start_attempt(0)
    project(successor)
    assert [trial.user_attrs["uid"] for trial in optuna_trials(successor)] == [f"tiny/{successor.uid}/0"]

    other = a_ledger(tmp_path, name="theirs")
    optuna.create_study(study_name="theirs", storage=other.url.replace("tiny", "theirs")).ask()
    with pytest.raises(RuntimeError, match="did not make"):
        project(other)


def optuna_trials(ledger: Ledger) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=ledger.name, storage=ledger.url).trials


@pytest.mark.parametrize("began_before", [True, False])
def test_constraints_and_what_a_scheduler_went_by_are_there(began_before: bool, tmp_path: Path) -> None:
    goals = {"objectives": ("val/accuracy",), "constraints": ("cost/seconds:max=30",)}
    config = a_study(tmp_path, span=TUNED, sampler="tpe", scheduler="asha", **goals)
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    ledger.propose([Proposer(config).propose(number) for number in range(3)])
    for number in range(3):
        ledger.start_attempt(number)
    if began_before:
        project(ledger)
    dense = [Record("dense", epoch, {"val/accuracy": epoch / 10}) for epoch in (1, 2, 3)]
    costs = ({"cost/seconds": 40.0}, {})
    for number, cost in enumerate(costs):
        ledger.finish(number, 1, "COMPLETE", records=[*dense, Record("summary", 0, cost)])
    ledger.finish(2, 1, "PRUNED", records=dense[:2])
    project(ledger)
    storage = optuna.storages.RDBStorage(ledger.url)
    trials = optuna.load_study(study_name="tiny", storage=storage).trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED]
    assert trials[1].user_attrs["undefined"] == {"cost/seconds": ""}, "what is not known is no kept bound"
    assert [trial.constraints for trial in trials] == [{"cost/seconds:max": 10.0}, {}, {}]
    assert [trial.intermediate_values for trial in trials] == [
        {1: 0.1, 2: 0.2, 3: 0.3},
        {1: 0.1, 2: 0.2, 3: 0.3},
        {1: 0.1, 2: 0.2},
    ]
    storage.engine.dispose()


def test_the_best_trial_keeps_the_constraints(tmp_path: Path) -> None:
    goals = {"objectives": ("val/accuracy",), "constraints": ("cost/seconds:max=30",)}
    config = a_study(tmp_path, span=TUNED, sampler="tpe", **goals)
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    ledger.propose([Proposer(config).propose(number) for number in range(3)])
    for number, cost in enumerate(({"cost/seconds": 31.0}, {"cost/seconds": 30.0}, {})):
        metrics = {"val/accuracy": 0.9 - number / 10, **cost}
        ledger.finish(number, ledger.start_attempt(number), "COMPLETE", records=[Record("summary", 0, metrics)])
        handle = api.load("tiny", home=tmp_path)
        if number == 0:
            with pytest.raises(ValueError, match=r"no complete trial of tiny keeps cost/seconds:max=30"):
                handle.best()
    assert api.load("tiny", home=tmp_path).best()["number"] == 1


SCALARS = ("compressibility/auc", "contrast/auc")
ADAPTIVE = {"span": TUNED, "sampler": "tpe"}
BOUNDED = {**ADAPTIVE, "objectives": ("val/loss:min",), "constraints": ("cost/seconds:max=30",)}


@pytest.mark.parametrize(
    ("fields", "metrics", "values", "best"),
    [
        ({}, SCALARS, [(0.5, 0.1), (0.7, None), (None, 0.9)], 1),
        ({"objectives": ("contrast/auc",)}, SCALARS, [(0.5, 0.1), (0.7, None), (None, 0.9)], 2),
        ({"objectives": ("val/loss:min",)}, (SCALARS[0], "val/loss"), [(0.5, 0.1), (0.6, 0.3), (0.7, 0.2)], 0),
        (BOUNDED, ("cost/seconds", "val/loss"), [(10.0, 0.3), (31.0, 0.1), (None, 0.1), (30.0, 0.2)], 3),
        (ADAPTIVE, (SCALARS[1], "control/val/accuracy"), [(0.7, 0.2), (0.7, 0.6), (0.3, 0.9), (0.9, None)], 1),
    ],
)
def test_optuna_crowns_the_trial_that_is_best(
    fields: dict[str, Any],
    metrics: tuple[str, str],
    values: list[tuple[float | None, float | None]],
    best: int,
    tmp_path: Path,
) -> None:
    config = a_study(tmp_path, **{"span": SPAN, **fields})
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    ledger.propose([Proposer(config).propose(number) for number in range(len(values))])
    for number, row in enumerate(values):
        there = {name: value for name, value in zip(metrics, row, strict=True) if value is not None}
        ledger.finish(number, ledger.start_attempt(number), "COMPLETE", records=[Record("summary", 0, there)])
    project(ledger)
    assert api.load("tiny", home=tmp_path).best()["number"] == best
    storage = optuna.storages.RDBStorage(ledger.url)
    study = optuna.load_study(study_name="tiny", storage=storage)
    if len(study.directions) == 1:
        assert study.best_trial.number == best
    else:
        assert best in [trial.number for trial in study.best_trials]
    storage.engine.dispose()


@pytest.mark.filterwarnings("ignore:.*set_metric_names is experimental")
def test_tables_that_crowned_others_are_made_anew(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=2, objectives=("val/loss:min",))
    for number in range(2):
        metrics = {"compressibility/auc": 0.5 + number / 10, "val/loss": 0.1 + number / 10}
        ledger.finish(number, ledger.start_attempt(number), "COMPLETE", records=[Record("summary", 0, metrics)])
    storage = optuna.storages.RDBStorage(ledger.url)
    earlier = optuna.create_study(study_name="tiny", storage=storage, direction="maximize")
    earlier.set_metric_names(["compressibility/auc"])
    earlier.set_user_attr("ockham/uid", ledger.uid)
    for value in (0.5, 0.6):
        earlier.tell(earlier.ask(), value)
    project(ledger)
    now = optuna.load_study(study_name="tiny", storage=storage)
    assert (now.metric_names, now.direction.name) == (["val/loss"], "MINIMIZE")
    assert (now.best_trial.number, now.best_value, len(now.trials)) == (0, 0.1, 2)
    storage.engine.dispose()
