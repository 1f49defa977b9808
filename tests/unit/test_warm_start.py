"""A sampler that starts from another study: what it takes, what it keeps, what is refused."""

from pathlib import Path
from typing import Any

import pytest

from search_spaces.space import Range
from study.config import StudyConfig
from study.errors import StudyMismatch, UsageError
from study.ledger import Ledger, Proposal, TrialRow
from study.proposing import Proposer
from study.settings.creation import open_or_create
from study.settings.warm_start import with_earlier_trials
from tests.studies_for_tests import TUNED, a_study
from trainables.record import Record

pytestmark = pytest.mark.slow

OTHER = {**TUNED, "model.width": Range(low=32, high=2048, log=True)}
GOALS = {"objectives": ("val/accuracy",), "constraints": ("cost/seconds:max=9",)}


def the_other(home: Path, trials: int = 12) -> None:
    """A study of other widths: one trial failed, one has no accuracy, two are too wide for ours."""
    config = a_study(home, name="other", span=OTHER, sampler="random", trials=trials)
    config.directory.mkdir(parents=True)
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    proposals = [Proposer(config).propose(number) for number in range(trials)]
    wide = (2, 5)
    widths = [1024 if number in wide else 30 * (number + 1) for number in range(trials)]
    ledger.propose([Proposal({**p.params, "model.width": w}) for p, w in zip(proposals, widths, strict=True)])
    for number in range(trials):
        attempt = ledger.start_attempt(number)
        metrics = {"cost/seconds": 1.0} | ({"val/accuracy": 0.5 + number / 100} if number != 7 else {})
        state = "FAILED" if number == 3 else "COMPLETE"
        ledger.finish(number, attempt, state, records=[Record("summary", 0, metrics)])
    ledger.release()
    ledger.close()


def ours(home: Path, **fields: object) -> StudyConfig:
    return a_study(home, **{"span": TUNED, "sampler": "tpe", "warm_start": "other", "trials": 6, **GOALS, **fields})


def test_what_fits_is_taken_and_told_to_the_sampler(tmp_path: Path) -> None:
    the_other(tmp_path)
    said: list[str] = []
    config = with_earlier_trials(ours(tmp_path), said.append)
    assert config.warm_start is not None
    assert [trial.number for trial in config.warm_start.trials] == [0, 1, 4, 6, 8, 9, 10, 11]
    assert config.warm_start.trials[0].metrics == {"val/accuracy": 0.5, "cost/seconds": 1.0}
    assert said == ["tpe starts from 8 of 11 complete trials of other"]
    assert config.identity()["warm_start"] == {"study": "other", "trials": "0-1,4,6,8-11"}
    assert config.fingerprint() != ours(tmp_path, warm_start=None).fingerprint()


@pytest.mark.parametrize("sampler", ["tpe", "gp", "nsga2", "nsga3", "cmaes"])
def test_proposals_follow_from_the_study_itself(sampler: str, tmp_path: Path) -> None:
    names = ("model.width", "training.lr")
    fields = {"sampler": sampler, "constraints": (), "span": {name: TUNED[name] for name in names}}
    best = [{"model.width": 60 + n % 9, "training.lr": 0.05 * (1 + n % 7 / 20)} for n in range(60)]
    trials = [{"number": n, "params": params, "metrics": {"val/accuracy": n / 60}} for n, params in enumerate(best)]
    config = ours(tmp_path, **fields, warm_start={"study": "other", "trials": trials})
    warm = proposals(config)
    assert proposals(StudyConfig.model_validate_json(config.model_dump_json())) == warm
    assert {(proposal.role, proposal.number) for proposal in warm} == {("explore", n) for n in range(5)}
    assert warm[-1].params != proposals(ours(tmp_path, **fields, warm_start=None))[-1].params
    if sampler in ("nsga2", "nsga3"):
        widths = [proposal.params["model.width"] for proposal in warm]
        assert sum(60 <= width < 69 for width in widths) >= 2, "children of those of the other study, some mutated"


def proposals(config: StudyConfig) -> list[Proposal]:
    """The first five, each trial's accuracy being its learning rate."""
    proposer, rows, found = Proposer(config), [], []
    for number in range(5):
        found.append(proposer.propose(number, rows))
        params = found[-1].params
        metrics = {"val/accuracy": params["training.lr"]}
        rows.append(a_row(number, proposed=params, seen=found[-1].seen, metrics=metrics))
    return found


def a_row(number: int, **fields: Any) -> TrialRow:
    """A complete trial."""
    rest = {"notes": {}, "attempts": 1, "uid": "", "mlflow_run_id": None, "fingerprint": "", "error": None}
    return TrialRow(number=number, state="COMPLETE", role="explore", params={}, duration_s=1.0, **rest, **fields)


def test_a_study_keeps_what_it_started_from(tmp_path: Path) -> None:
    the_other(tmp_path)
    made, new = open_or_create(ours(tmp_path), str)
    made.close()
    assert new
    more = Ledger.open(a_study(tmp_path, name="other").ledger_url, "other")
    more.acquire()
    more.propose([Proposal({"model.width": 64, "training.lr": 0.1, "training.batch_size": 50})])
    more.finish(
        12, more.start_attempt(12), "COMPLETE", records=[Record("summary", 0, {"val/accuracy": 1, "cost/seconds": 1})]
    )
    more.close()
    again, new = open_or_create(ours(tmp_path), str)
    again.close()
    assert not new
    assert again.config.warm_start == made.config.warm_start
    with pytest.raises(StudyMismatch, match=r"warm_start"):
        open_or_create(ours(tmp_path, warm_start=None), str)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"warm_start": "othr"}, "--warm-start othr: there is no study 'othr'"),
        ({"warm_start": "tiny"}, "can't start from itself"),
        (
            {"sampler": "cmaes", "span": {"model.width": Range(low=16, high=512)}, "constraints": ()},
            "cmaes starts from at least 10 trials, but only 8 fit",
        ),
        ({"objectives": ("contrast/auc",)}, "none of its 11 complete trials fits (9 without contrast/auc, 2 outside"),
        ({"span": {"model.width": Range(low=4, high=8)}}, "11 outside what this study spans of model.width"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(fields: dict[str, object], said: str, tmp_path: Path) -> None:
    the_other(tmp_path)
    with pytest.raises(UsageError) as refused:
        open_or_create(ours(tmp_path, **fields), str)
    assert said in str(refused.value)


def test_other_conditions_are_other_trials_and_other_fields_are_named(tmp_path: Path) -> None:
    the_other(tmp_path)
    config = ours(tmp_path)
    noisy = config.space.fix({"data.label_noise": 1.0})
    with pytest.raises(UsageError, match=r"11 with another data\.label_noise"):
        with_earlier_trials(config.model_copy(update={"space": noisy}), str)
    said: list[str] = []
    longer = config.space.fix({"training.epochs": 50})
    with_earlier_trials(config.model_copy(update={"space": longer}), said.append)
    assert said[0].endswith("; they differ from this study's in training.epochs")
