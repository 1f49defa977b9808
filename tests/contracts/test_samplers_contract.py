"""What every sampler promises: valid trials that can be computed again, and a clear word about what it can't do."""

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_spaces.space import Choices, Range
from study.config import StudyConfig
from study.config.seen import expand
from study.errors import UsageError
from study.ledger import Proposal, TrialRow
from study.proposing import Proposer
from study.sampling.interfaces import SAMPLERS
from tests.studies_for_tests import a_study

RANGES = {
    "model.width": Range(low=16, high=512, log=True),
    "training.lr": Range(low=0.001, high=0.3, log=True),
    "training.momentum": Range(low=0.0, high=0.95),
}
LISTS = {
    "model.width": Choices(values=(16, 32, 64, 128)),
    "training.optimizer": Choices(values=("sgd", "adam")),
    "training.batch_size": Choices(values=(25, 50, 100, 200)),
}
CONDITIONAL = {
    "training.optimizer": Choices(values=("sgd", "adam")),
    "training.batch_size": Choices(values=(25, 50, 100)),
    "training.momentum": Choices(values=(0.0, 0.5, 0.9), when={"training.optimizer": "sgd"}),
}
# Those that look at what ended do so once ten trials have, here from trial 15 on; a proposal of a Gaussian process
# takes two seconds of processor time.
TRIALS, SLOTS = 18, 3
ONE, TWO = ("val/accuracy",), ("val/accuracy", "control/val/loss:min")
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS.names())
_ELSEWHERE = """
import json, pickle, sys
from study.config import StudyConfig
from study.proposing import Proposer
result = {}
for sampler, (config, asked) in pickle.load(sys.stdin.buffer).items():
    config = StudyConfig.model_validate_json(config)
    result[sampler] = [Proposer(config).propose(number, rows).params for number, rows in asked]
print(json.dumps(result))
"""


def a_sampled_study(home: Path, sampler: str, **fields: Any) -> StudyConfig:
    """A study that suits the sampler."""
    span = LISTS if sampler == "grid" else RANGES if sampler == "cmaes" else {**LISTS, **RANGES}
    objectives = ONE if sampler == "cmaes" else TWO
    return a_study(home, **{"sampler": sampler, "trials": TRIALS, "span": span, "objectives": objectives, **fields})


def ended(config: StudyConfig, proposal: Proposal) -> TrialRow:
    """The row of a trial that ended: best at width 64; some fail, some are stopped, some lack an objective."""
    number = proposal.number or 0
    params = config.space.config(proposal.params).flat()
    miss = abs(np.log(params["model.width"] / 64)) + abs(np.log(params["training.lr"] / 0.05)) / 4
    metrics = {"val/accuracy": 1 - float(miss) / 5, "control/val/loss": params["training.momentum"]}
    return TrialRow(
        number=number,
        state="FAILED" if number % 9 == 4 else "PRUNED" if number % 9 == 7 else "COMPLETE",
        role=proposal.role,
        params=params,
        metrics=metrics if number % 11 != 5 else {},
        notes={},
        attempts=1,
        uid="",
        mlflow_run_id=None,
        fingerprint="",
        duration_s=1.0,
        error=None,
        proposed=proposal.params,
        seen=proposal.seen,
    )


def studied(config: StudyConfig) -> list[TrialRow]:
    """The rows of a study whose trials end in any order, three at a time."""
    proposer, draws = Proposer(config), np.random.default_rng(0)
    running: list[TrialRow] = []
    done: list[TrialRow] = []
    for number in range(config.trials):
        proposal = proposer.propose(number, done)
        assert proposal.number == number
        assert proposal.role == config.role
        running.append(ended(config, proposal))
        if len(running) == SLOTS:
            done.append(running.pop(int(draws.integers(SLOTS))))
    return sorted(done + running, key=lambda row: row.number)


def seen_by(rows: list[TrialRow], number: int) -> list[TrialRow]:
    """What the ledger held when a trial was proposed."""
    known = expand(rows[number].seen or "")
    return [row if row.number in known else replace(row, state="RUNNING", metrics={}) for row in rows[:number]]


@cache
def one_of(sampler: str) -> tuple[StudyConfig, list[TrialRow]]:
    """A study that suits the sampler, with its rows."""
    config = a_sampled_study(Path("unused"), sampler)
    return config, studied(config)


@every_sampler
def test_proposals_are_valid(sampler: str) -> None:
    config, rows = one_of(sampler)
    for row in rows:
        assert list(row.proposed) == list(config.space.span)
        assert config.space.config(row.proposed).flat().items() >= row.proposed.items()
        assert (row.seen is not None) == SAMPLERS.get(sampler).learns
    assert len({json.dumps(row.proposed) for row in rows}) > TRIALS // 2, "it does not repeat itself"


def test_proposals_are_the_same_in_any_process() -> None:
    numbers, asked, expected = (0, 13, TRIALS - 1), {}, {}
    for sampler in SAMPLERS.names():
        config, rows = one_of(sampler)
        asked[sampler] = config.model_dump_json(), [(number, seen_by(rows, number)) for number in numbers]
        expected[sampler] = [rows[number].proposed for number in numbers]
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "OMP_NUM_THREADS": "1"}
    there = subprocess.run(
        [sys.executable, "-W", "error", "-c", _ELSEWHERE],
        input=pickle.dumps(asked),
        capture_output=True,
        env=environment,
        check=True,
    )
    assert json.loads(there.stdout) == expected


@every_sampler
def test_a_resumed_study_with_one_slot_goes_on_as_if_nothing_had_happened(sampler: str, tmp_path: Path) -> None:
    config = a_sampled_study(tmp_path, sampler, configurations=({"model.width": 24},), trials=16)
    straight, broken = Proposer(config), Proposer(config)
    rows: list[TrialRow] = []
    for number in range(min(config.trials, 16)):
        proposal = straight.propose(number, rows)
        if number in (1, 8, 14):
            broken = Proposer(config)
        assert broken.propose(number, rows) == proposal
        rows.append(ended(config, proposal))


@every_sampler
def test_another_seed_is_another_study(sampler: str, tmp_path: Path) -> None:
    one, two = (Proposer(a_sampled_study(tmp_path, sampler, seed=seed)) for seed in (1, 2))
    same = [one.propose(n).params for n in range(4)] == [two.propose(n).params for n in range(4)]
    assert same == (sampler == "grid"), "a grid has one order"


@every_sampler
@pytest.mark.parametrize("objectives", [ONE, TWO])
def test_several_objectives_are_taken_or_refused(sampler: str, objectives: tuple[str, ...], tmp_path: Path) -> None:
    config = a_sampled_study(tmp_path, sampler, objectives=objectives, trials=13)
    if sampler == "cmaes" and len(objectives) > 1:
        with pytest.raises(UsageError, match=r"one objective, not 2 \(val/accuracy, control/val/loss\).*--objective"):
            Proposer(config)
        return
    assert len(studied(config)) == 13


@every_sampler
def test_parameters_that_only_some_trials_have_are_left_out_or_refused(sampler: str, tmp_path: Path) -> None:
    config = a_sampled_study(tmp_path, sampler, span=CONDITIONAL, objectives=ONE, trials=12)
    if sampler in ("gp", "cmaes", "nsga2", "nsga3"):
        with pytest.raises(UsageError, match=r"can't learn training\.momentum, which only some trials have"):
            Proposer(config)
        return
    rows = studied(config)
    for row in rows:
        assert ("training.momentum" in row.proposed) == (row.proposed["training.optimizer"] == "sgd")
    assert 2 <= sum("training.momentum" in row.proposed for row in rows) <= 10
    again = [Proposer(config).propose(number, seen_by(rows, number)).params for number in (3, 11)]
    assert again == [rows[3].proposed, rows[11].proposed]


@every_sampler
def test_constraints_are_taken_or_refused(sampler: str, tmp_path: Path) -> None:
    constraints = ("cost/seconds:max=30", "val/accuracy:min=0.5")
    if not SAMPLERS.get(sampler).keeps_bounds:
        with pytest.raises(ValueError, match=f"sampler={sampler} knows none; take one of gp, nsga2, nsga3, tpe"):
            a_sampled_study(tmp_path, sampler, constraints=constraints)
        return
    config = a_sampled_study(tmp_path, sampler, objectives=ONE, constraints=("control/val/loss:max=0.1",))
    free = a_sampled_study(tmp_path, sampler, objectives=ONE)
    rows, last = studied(config), TRIALS - 1
    assert Proposer(config).propose(last, seen_by(rows, last)).params == rows[last].proposed
    if sampler in ("tpe", "gp"):  # the others need a generation of fifty before they look
        assert rows[last].proposed != Proposer(free).propose(last, seen_by(rows, last)).params
