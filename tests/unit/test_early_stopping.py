"""Schedulers by themselves: what they stop, what they never stop, and that they can be filled again."""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ray.tune.schedulers import AsyncHyperBandScheduler

from study.config.goals import Stopping
from study.execution.early_stopping import EarlyStopping, EpochReport, early_stopping_for
from study.stopping.interfaces import SCHEDULERS
from study.stopping.schedulers.asha import Rungs
from tests.studies_for_tests import TUNED, a_study
from trainables.record import Record

GRACE = Stopping(grace=2, reduction=2)
KINDS = pytest.mark.parametrize("kind", SCHEDULERS.names())


def scheduler(kind: str, stopping: Stopping = GRACE, known: Iterable[EpochReport] = ()) -> EarlyStopping:
    grace = stopping.epochs_of_grace(16)
    judge = SCHEDULERS.get(kind)().judge(grace=grace, reduction=stopping.reduction, longest=16)
    return EarlyStopping(judge, stopping.metric, known)


def at(epoch: int, value: float, *, over: bool = False) -> Record:
    return Record("dense", epoch, {"val/accuracy": value}, {"train/stop_reason": "train_loss x5"} if over else {})


def curve(best: float, epochs: int = 16) -> list[Record]:
    return [at(epoch, best * (1 - 0.8**epoch)) for epoch in range(1, epochs + 1)]


def test_asha_decides_as_rays_own() -> None:
    ours = scheduler("asha")
    bracket = AsyncHyperBandScheduler(max_t=16, grace_period=2, reduction_factor=2, stop_last_trials=False)._brackets[0]
    draws, stopped = np.random.default_rng(0), 0
    for number in range(40):
        name = type("T", (), {"trial_id": f"ray-{number}"})
        for record in curve(float(draws.random()), 15):
            theirs = bracket.on_result(name, record.step, record.metrics["val/accuracy"]) == "STOP"
            verdict = ours.verdict(number, [record])
            assert bool(verdict) == theirs
            if theirs:
                stopped += 1
                break
    assert 20 < stopped < 40
    assert isinstance(ours.judge, Rungs)
    assert list(ours.judge.values) == [2, 4, 8, 16]


@KINDS
def test_a_verdict_depends_on_what_was_reported_not_on_how_much_came_at_once(kind: str) -> None:
    singly, at_once, in_threes = scheduler(kind), scheduler(kind), scheduler(kind)
    draws, verdicts = np.random.default_rng(1), []
    for number in range(20):
        records = curve(float(draws.random()))
        verdicts.append(at_once.verdict(number, records))
        for made, size in ((singly, 1), (in_threes, 3)):
            for start in range(0, len(records), size):
                if found := made.verdict(number, records[start : start + size]):
                    break
            assert found == verdicts[-1]
            assert made.verdict(number, records) == found, "asking again changes nothing"
    assert 4 < sum(verdict is not None for verdict in verdicts) < 20


@KINDS
def test_filled_from_the_ledger_it_goes_on_as_before(kind: str) -> None:
    draws = np.random.default_rng(2)
    curves = [curve(float(best)) for best in draws.random(30)]
    straight, known = scheduler(kind), []
    for number, records in enumerate(curves):
        resumed = scheduler(kind, known=sorted(known))
        verdict = straight.verdict(number, records)
        assert resumed.verdict(number, records) == verdict
        kept = [record for record in records if verdict is None or record.step <= verdict.epoch]
        known += [EpochReport(number, record.step, record.metrics["val/accuracy"]) for record in kept]
        assert resumed.verdict(number, records) == verdict


@KINDS
def test_what_was_judged_is_not_judged_again(kind: str) -> None:
    made = scheduler(kind)
    assert made.verdict(0, curve(0.1)[:6]) is None, "the first has nothing to be compared with"
    for number in range(1, 6):
        made.verdict(number, curve(0.9))
    assert made.verdict(0, curve(0.1)[:6]) is None, "a new attempt reports again what its checkpoint holds"
    verdict = made.verdict(0, curve(0.1))
    assert verdict is not None
    assert verdict.epoch > 6


@KINDS
def test_only_dense_training_is_judged(kind: str) -> None:
    made = scheduler(kind)
    for number in range(5):
        made.verdict(number, curve(0.9))
    assert made.verdict(5, [at(5, 0.1, over=True)]) is None, "its training is over"
    assert made.verdict(6, [Record("level", 8, {"val/accuracy": 0.0}), at(9, 0.0)]) is None
    assert made.verdict(7, [Record("dense", 9, {"train/accuracy": 0.0})]) is None, "the metric is not there"
    assert made.verdict(8, [at(1, 0.0)]) is None, "its grace has not passed"
    assert made.verdict(9, [at(4, 0.0)]) is not None


@KINDS
def test_smaller_is_better_where_the_metric_says_so(kind: str) -> None:
    made = scheduler(kind, Stopping(metric="val/loss", grace=2, reduction=2))
    for number in range(5):
        assert made.verdict(number, [Record("dense", 4, {"val/loss": 0.5})]) is None
    assert made.verdict(5, [Record("dense", 4, {"val/loss": 0.4})]) is None
    verdict = made.verdict(6, [Record("dense", 4, {"val/loss": 2.0})])
    assert verdict is not None
    assert verdict.why.startswith("val/loss 2 at epoch 4, ")
    assert "-" not in verdict.why


def test_no_global_random_numbers_are_drawn() -> None:
    np.random.seed(3)
    before = np.random.get_state()[1].tolist()  # type: ignore[index]
    made = scheduler("asha")
    for number in range(10):
        made.verdict(number, curve(number / 10))
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]


def test_trials_report_often_enough_for_any_rung() -> None:
    from trainables.dense_training import _report_due

    class Reports:
        records: list[Record]

    progress = Reports()
    progress.records = []
    for epoch in range(1, 2000):
        if _report_due(progress, epoch):  # type: ignore[arg-type]
            progress.records.append(Record("dense", epoch))
    epochs = [record.step for record in progress.records]
    assert epochs[:10] == [*range(1, 11)]
    assert all(later <= 1.25 * earlier + 1 for earlier, later in pairwise(epochs[9:]))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"stopping": {"grace": 3}}, "add --scheduler asha or median"),
        ({"scheduler": "hyperband"}, "hyperband.*none, asha, median"),
        ({"scheduler": "asha", "stopping": {"metric": "test/accuracy"}}, "computed from test data"),
        ({"scheduler": "asha", "stopping": {"metric": "contrast/auc"}}, "not known while networks train"),
        ({"scheduler": "asha", "stopping": {"grace": 400}}, "400 epochs of grace in a training of 400"),
        ({"scheduler": "asha", "stopping": {"reduction": 1}}, "greater than 1"),
        ({"scheduler": "asha", "span": None}, "compare trials across data.label_noise"),
    ],
)
def test_what_can_not_work_is_refused(fields: dict[str, object], said: str, tmp_path: Path) -> None:
    span = {} if fields.pop("span", TUNED) is None else {"span": TUNED}
    with pytest.raises(ValueError, match=said):
        a_study(tmp_path, **span, **fields)


def test_the_scheduler_is_part_of_the_identity_only_where_there_is_one(tmp_path: Path) -> None:
    plain, asha = a_study(tmp_path, span=TUNED), a_study(tmp_path, span=TUNED, scheduler="asha")
    other = a_study(tmp_path, span=TUNED, scheduler="asha", stopping={"metric": "val/loss:min"})
    assert len({config.fingerprint() for config in (plain, asha, other)}) == 3
    assert set(plain.identity()) == {"name", "sampler", "scheduler", "objectives", "seed", "configurations", "space"}
    assert (plain.role, asha.role) == ("design", "explore")
    assert early_stopping_for(plain, ()) is None
    made = early_stopping_for(asha, ())
    assert made is not None
    assert isinstance(made.judge, Rungs)
    assert list(made.judge.values) == [25, 100, 400], "a sixteenth of 400 epochs, then one in four"
