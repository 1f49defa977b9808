"""Hours from the ledger's attempts, money from the user's prices, estimates from trials that were really trained."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from study.cli import main
from study.config import RunConfig
from study.config.prices import Prices, read_prices
from study.costs import estimate as estimating
from study.costs.cost import cost, cost_so_far
from study.costs.estimate import TimedTrial, _most_epochs, calibrate, estimate, representative
from study.errors import UsageError
from study.events import Silent
from study.execution.finishing import conclude
from study.stop_flag import StopFlag
from tests import engine
from tests.studies_for_tests import a_ledger, a_study
from trainables import trial as trial_module
from trainables.config import TrialConfig
from trainables.record import Record

INFRA = Path(__file__).parents[2] / "infra"
PRICES = Prices(currency="EUR", core_hour=0.5, gpu_hour=2.0, hour=0.25)


def test_money_is_hours_times_prices() -> None:
    found = cost(7200, 1800, RunConfig(cpus_per_trial=3, gpus_per_trial=0.5, prices=PRICES))
    assert (found.core_hours, found.gpu_hours, found.hours) == (6.0, 1.0, 0.5)
    assert found.amount == 6 * 0.5 + 1 * 2.0 + 0.5 * 0.25
    assert str(found) == "6.00 core-hours, 1.00 GPU-hours, 5.12 EUR"
    assert found.as_metrics()["cost/amount"] == found.amount
    assert found.as_metrics()["ockham.currency"] == "EUR"


def test_without_prices_there_is_no_money() -> None:
    found = cost(36, 36, RunConfig())
    assert found.amount is None
    assert str(found) == "0.01 core-hours"
    assert set(found.as_metrics()) == {"cost/core_hours", "cost/gpu_hours", "cost/hours"}


def test_what_was_spent_counts_every_attempt_and_time_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = a_ledger(tmp_path, proposals=2)
    monkeypatch.setattr("study.ledger.life.now_ms", lambda: 1_000_000)
    ledger.start_attempt(0)
    ledger.start_attempt(1)
    monkeypatch.setattr("study.ledger.life.now_ms", lambda: 1_000_000 + 1_800_000)
    ledger.finish(0, 1, "FAILED", error="made up")
    found = cost_so_far(ledger)
    assert (found.core_hours, found.hours) == (0.5, 0.5), "nobody runs trial 1 any more"
    found = cost_so_far(ledger, now_ms=1_000_000 + 3_600_000)
    assert (found.core_hours, found.hours) == (1.5, 1.0), "an hour of trial 1, half of which trial 0 ran as well"


def test_example_prices_can_be_read(tmp_path: Path) -> None:
    assert read_prices(INFRA / "prices.example.yaml").currency == "EUR"
    for text, said in (("gpu_hours: 1", "gpu_hour"), ("core_hour: -1", "core_hour"), ("currency: EUR", "above 0")):
        (tmp_path / "prices.yaml").write_text(text)
        with pytest.raises(UsageError, match=said):
            read_prices(tmp_path / "prices.yaml")
    with pytest.raises(UsageError, match="can't be read"):
        read_prices(tmp_path / "absent.yaml")


def test_prices_are_no_part_of_what_a_study_is(tmp_path: Path) -> None:
    plain, priced = a_study(tmp_path), a_study(tmp_path, run={"prices": PRICES})
    assert plain.fingerprint() == priced.fingerprint()
    assert yaml.safe_load(yaml.safe_dump(priced.model_dump(mode="json")))["run"]["prices"]["gpu_hour"] == 2.0


def test_an_estimate_of_what_is_left(tmp_path: Path) -> None:
    config = a_study(tmp_path, trials=10, run={"cpus_per_trial": 2, "prices": PRICES})
    found = estimate(config, [], [TimedTrial(30.0, whole=True), TimedTrial(90.0, whole=True)], slots=4)
    assert (found.trials, found.seconds, found.wall_s) == (10, 60.0, 180.0)
    assert found.cost.core_hours == pytest.approx(10 * 60 * 2 / 3600)
    found = estimate(config, [10.0, 30.0], [], slots=4)
    assert (found.trials, found.seconds, found.wall_s) == (8, 20.0, 40.0)


def test_trials_of_the_study_are_timed_for_real(tmp_path: Path) -> None:
    small = {"training.epochs": 3, "compression.depth": 2, "replicates": 2, "data.name": "digits"}
    config = a_study(tmp_path)
    config = config.model_copy(update={"space": config.space.fix(small)})
    trials = representative(config)
    assert len({number for number, _ in trials}) == len(trials) == 3
    timed = calibrate([(n, trial.model_dump_json()) for n, trial in trials], str(tmp_path), 1, gpu=False, seconds=600)
    assert list(timed) == [number for number, _ in trials]
    assert all(each.whole and each.seconds > 0 for each in timed.values())
    endless = config.space.fix({"training.epochs": 100_000, "training.stop_at_train_loss": None}).config(
        {"data.label_noise": 1, "model.width": 16}, 0
    )
    cut = calibrate([(0, endless.model_dump_json())], str(tmp_path), 1, gpu=False, seconds=1.0)[0]
    assert not cut.whole
    assert cut.seconds > 60, "all its epochs at the speed of those it did"


def test_a_trial_that_counts_steps_takes_the_epochs_that_these_are(tmp_path: Path) -> None:
    """Its `training.epochs` means nothing."""
    trial = engine.config(**{"training.epochs": 400, "training.steps": 3000})
    assert _most_epochs(trial, tmp_path) == 750, "of 150 examples, 4 batches each"


def test_what_a_process_does_once_counts_for_no_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries and data that load for 19 s made each of 3,000 epochs 10 s long."""
    really, first = trial_module.run_trial, [3.0]

    def slow_at_first(trial: TrialConfig, context: trial_module.TrialContext) -> Iterator[Record | None]:
        if first:
            time.sleep(first.pop())
        yield from really(trial, context)

    monkeypatch.setattr(trial_module, "run_trial", slow_at_first)
    trial = engine.config(**{"training.epochs": 100_000, "training.stop_at_train_loss": None})
    timed = calibrate([(0, trial.model_dump_json())], str(tmp_path), 1, gpu=False, seconds=2.0)[0]
    assert not timed.whole
    assert timed.seconds < 3.0 * 100_000


def test_fresh_networks_that_train_as_long_as_dense_ones_count_as_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Levels are timed in a short run, whose fresh networks train as few epochs as its dense ones."""
    fields = {"training.epochs": 1000, "training.stop_at_train_loss": None, "compression.depth": 3}
    fields |= {"compression.recovery": "finetune", "compression.recovery_epochs": 3}

    def run(trial: TrialConfig, *_others: object) -> estimating._TimedRun:
        whole = trial.training.epochs == 1000
        return estimating._TimedRun(0.0, epochs=96, dense_s=9.6, levels=[] if whole else [1.0])

    def timed(budget: str) -> float:
        trial = engine.config(**fields, **{"compression.scratch_budget": budget})
        return estimating._time_trial(trial, 0, tmp_path, 0.0, 4.0).seconds

    monkeypatch.setattr(estimating, "_run", run)
    assert timed("recovery") == pytest.approx(100 + 3 * 1.0)
    assert timed("dense") == pytest.approx(100 + 3 * (1.0 + 0.1 * (1000 - 96 // 16)))


def test_none_is_begun_when_one_took_the_time_of_all(tmp_path: Path) -> None:
    trial = engine.config(**{"data.name": "digits"}).model_dump_json()
    timed = calibrate([(0, trial), (1, trial), (2, trial)], str(tmp_path), 1, gpu=False, seconds=1e-6)
    assert list(timed) == [0]


def test_a_dry_run_says_what_it_will_take_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, price = tmp_path / "home", str(INFRA / "prices.example.yaml")
    small = ["training.epochs=2", "compression.depth=1", "replicates=2", "model.width=8", "data.train_size=200"]
    settings = [argument for setting in small for argument in ("--set", setting)]
    arguments = ["launch", "--dry-run", "--trials", "7", "--max-concurrent", "1", "--home", str(home), *settings]
    assert main([*arguments, "--price", price]) == 0
    said = capsys.readouterr().out
    assert "7 trials to run" in said
    assert "3 of its trials were trained just now" in said
    assert "EUR" in said
    assert "1 at once" in said
    assert not (home / "redundancy").exists()
    assert main([*arguments, "--price", str(tmp_path / "absent.yaml")]) == 2
    assert main(arguments) == 0
    assert "No prices are known" in capsys.readouterr().out


def test_mlflow_is_told_what_the_study_has_cost(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=1, run={"prices": PRICES})
    ledger.start_attempt(0)
    ledger.finish(0, 1, "FAILED", error="made up")
    summary = conclude(ledger, Silent(), StopFlag()).summary
    assert {"cost/core_hours", "cost/gpu_hours", "cost/hours", "cost/amount"} <= set(summary)
    assert summary["ockham.currency"] == "EUR"
