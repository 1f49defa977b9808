"""Configurations that undo themselves: samplers learn to keep clear of them, and a search without a signal says so."""

from dataclasses import replace
from pathlib import Path

import pytest

from search_spaces.space import Range
from study.config import StudyConfig
from study.ledger import Proposal, TrialRow
from study.proposing import Proposer
from study.proposing.mirror import Mirror
from study.proposing.signal import lacking_signal
from tests.studies_for_tests import a_study

SPAN = {"training.lr": Range(low=1.0, high=1e6, log=True), "model.width": Range(low=16, high=512, log=True)}


def searching(home: Path, sampler: str, **fields: object) -> StudyConfig:
    return a_study(home, **{"sampler": sampler, "span": SPAN, "objectives": ("val/loss:min",), "trials": 60, **fields})


def ended(config: StudyConfig, proposal: Proposal, *, how: str) -> TrialRow:
    """A trial whose training diverges in the upper half of the range, from rate 1,000 on."""
    lr = float(proposal.params["training.lr"])
    sound = lr < 1000
    return TrialRow(
        number=proposal.number or 0,
        state="COMPLETE" if sound or how == "undefined" else "FAILED",
        role="explore",
        params=config.space.config(proposal.params).flat(),
        metrics={"val/loss": 0.1 + lr / 100} if sound else {},
        notes={},
        attempts=1,
        uid="",
        mlflow_run_id=None,
        fingerprint="",
        duration_s=1.0,
        error=None if sound or how == "undefined" else how,
        proposed=proposal.params,
        seen=proposal.seen,
    )


def studied(config: StudyConfig, how: str) -> list[TrialRow]:
    proposer = Proposer(config)
    rows: list[TrialRow] = []
    for number in range(config.trials):
        rows.append(ended(config, proposer.propose(number, rows), how=how))
    return rows


HOW = ("undefined", "TrialDiverged: the loss is nan", "RuntimeError: out of memory even with one network at a time")


@pytest.mark.parametrize(
    ("sampler", "how", "trials"), [*(("tpe", how, 45) for how in HOW), ("gp", HOW[0], 20), ("cmaes", HOW[1], 60)]
)
def test_samplers_keep_clear_of_what_undoes_itself(sampler: str, how: str, trials: int, tmp_path: Path) -> None:
    rows = studied(searching(tmp_path, sampler, trials=trials), how)
    undone = [not row.metrics for row in rows]
    assert 3 <= sum(undone[:10]) <= 8, "half of the range is hopeless"
    assert sum(undone[-10:]) <= 2


@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_an_exception_teaches_nothing(sampler: str, tmp_path: Path) -> None:
    config = searching(tmp_path, sampler, trials=8)
    rows = studied(config, "KeyError: a bug")
    mirror = Mirror(config)
    for row in rows:
        mirror.tell(row)
    mirror.ask(8)
    told = mirror._study.trials[:8]
    assert [trial.state.name for trial in told] == ["COMPLETE" if row.metrics else "FAIL" for row in rows]


@pytest.mark.parametrize("constraints", [(), ("val/accuracy:min=0.5",)])
def test_the_grade_is_the_worst_known_in_whatever_order_trials_ended(
    constraints: tuple[str, ...], tmp_path: Path
) -> None:
    config = searching(tmp_path, "tpe", constraints=constraints, trials=20)
    rows = [
        replace(row, metrics={**row.metrics, "val/accuracy": 0.1} if row.metrics else {})
        for row in studied(config, "undefined")
    ]
    assert {bool(row.metrics) for row in rows} == {True, False}
    worst = max(row.metrics["val/loss"] for row in rows if row.metrics)
    seen = []
    for order in (rows, rows[::-1]):
        mirror = Mirror(config)
        for row in order:
            mirror.tell(row)
        seen.append(mirror.ask(20))
        graded = [mirror._study.trials[row.number].value for row in rows if not row.metrics]
        assert set(graded) == {worst}
    assert seen[0] == seen[1]


def test_a_search_without_a_signal_says_so(tmp_path: Path) -> None:
    config = searching(tmp_path, "tpe", trials=20)
    good = ended(config, Proposal({"training.lr": 1.0, "model.width": 16}, role="explore", number=0), how="")
    bad = replace(good, metrics={}, state="FAILED", error="TrialDiverged: nan")
    assert lacking_signal(config, [bad] * 9) is None, "too early to tell"
    few = lacking_signal(config, [good, *[bad] * 11])
    assert few is not None
    assert "val/loss is defined in 1 of 12 trials (failed: 11 TrialDiverged)" in few
    same = lacking_signal(config, [good] * 12)
    assert same is not None
    assert "is 0.11 in all 12 trials" in same
    other = replace(good, metrics={"val/loss": 0.2})
    assert lacking_signal(config, _each_of_its_own([good, other] * 6)) is None
    assert lacking_signal(a_study(tmp_path), [bad] * 30) is None, "a design searches for nothing"


def test_a_search_that_repeats_itself_says_so(tmp_path: Path) -> None:
    """As tpe does on a grid of four cells."""
    config = searching(tmp_path, "tpe", trials=20)
    good = ended(config, Proposal({"training.lr": 1.0, "model.width": 16}, role="explore", number=0), how="")
    new = _each_of_its_own([good, replace(good, metrics={"val/loss": 0.2})] * 6)
    assert lacking_signal(config, new) is None
    assert lacking_signal(config, [*new, *new[:3]]) is None, "a few come again where there is little left to find"
    said = lacking_signal(config, [*new[:4], *new[:4], *new[:4]])
    assert said is not None
    assert "8 of 12 trials have settings that an earlier one had" in said
    assert "tpe has tried 4 different ones" in said
    assert "--sampler grid" in said


def _each_of_its_own(rows: list[TrialRow]) -> list[TrialRow]:
    """The same trials, each with another width."""
    return [replace(row, proposed={**row.proposed, "model.width": 16 + place}) for place, row in enumerate(rows)]
