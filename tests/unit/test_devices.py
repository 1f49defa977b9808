"""What a study is computed on is recorded, and told where it changes."""

import logging
from pathlib import Path

import pytest
import torch

from search_spaces.space import SearchSpace
from study.config import RunConfig, StudyConfig
from study.execution.devices import Devices
from study.ledger import Ledger, Proposal
from tests.counting_device import counting_device
from tests.engine import config
from trainables import convolving
from trainables.again import CONVOLUTIONS, DEVICE
from trainables.checkpoints import CheckpointStore
from trainables.config import TrialConfig
from trainables.device import description
from trainables.pausing import finish
from trainables.precision import without_denormals
from trainables.record import LATENCY, Record
from trainables.trial import TrialContext, run_to_level, run_trial

pytestmark = pytest.mark.slow

CONV = {
    "model__name": "conv2",
    "model__width": 4,
    "data__split": (20, 20, 20),
    "training__epochs": 2,
    "training__batch_size": 10,
    "compression__depth": 1,
    "replicates": 2,
}


def trial(**fields: object) -> TrialConfig:
    return config(**{**CONV, **fields})


def ran(chosen: TrialConfig, device: str, **more: object) -> list[Record]:
    context = TrialContext(0, Path("unused"), device, **more)  # type: ignore[arg-type]
    return [record for record in run_trial(chosen, context) if record is not None]


def test_a_trial_says_what_computed_it() -> None:
    with counting_device():
        there, said = ran(trial(), "cuda"), description(torch.device("cuda"))
    assert said.startswith("Counting device, compute capability 9.0, CUDA ")
    assert there[-1].notes[DEVICE] == said
    assert f"PyTorch {torch.__version__}" in ran(trial(), "cpu")[-1].notes[DEVICE]


def test_networks_are_not_timed_beside_a_gpu_and_that_is_said() -> None:
    with counting_device():
        there = [record for record in ran(trial(), "cuda") if record.stage == "level"]
    for level in there:
        assert LATENCY not in level.metrics
        assert "timed on the CPU" in level.notes[f"undefined/{LATENCY}"]


def test_a_trial_does_not_compute_with_denormal_numbers_and_its_process_does() -> None:
    """Networks that have long fitted are full of them, and a processor takes a hundred times as long over each."""
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor can't be told")
    torch.set_flush_denormal(False)
    tiny = torch.full((300,), 1e-40)
    assert (tiny * 0.5).count_nonzero() == 300
    running = run_trial(config(), TrialContext(number=0, data_dir=Path("unused")))
    next(running)
    assert (tiny * 0.5).count_nonzero() == 0
    assert (torch.full((3, 300), 1e-30) @ torch.full((300, 3), 1e-12)).count_nonzero() == 0
    running.close()
    assert (tiny * 0.5).count_nonzero() == 300
    with without_denormals(), without_denormals():
        pass
    assert (tiny * 0.5).count_nonzero() == 300
    with without_denormals():
        with without_denormals():
            pass
        assert (tiny * 0.5).count_nonzero() == 0


def test_a_trial_that_goes_on_elsewhere_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def context(device: str) -> TrialContext:
        store = CheckpointStore(tmp_path, 1, interval_s=0)
        return TrialContext(0, Path("unused"), device, checkpoints=store)

    running = run_trial(trial(), context("cpu"))
    next(record for record in running if record is not None and record.stage == "level")
    next(running)  # a checkpoint follows what is reported
    with counting_device(), caplog.at_level(logging.WARNING):
        last = [record for record in run_trial(trial(), context("cuda")) if record is not None][-1]
    assert "bit for bit is promised on the same model and versions only" in caplog.text
    first, second = last.notes[DEVICE].split(", then ")
    assert "Counting device" not in first
    assert second.startswith("Counting device")


def test_a_study_whose_trials_were_computed_on_different_devices_says_so_once(tmp_path: Path) -> None:
    study = StudyConfig(name="two", space=SearchSpace(), trials=4, run=RunConfig(home=tmp_path))
    study.directory.mkdir(parents=True)
    ledger = Ledger.create(study.ledger_url, study)
    ledger.acquire()
    ledger.propose([Proposal({}) for _ in range(4)])
    devices, said = Devices(ledger), []
    for number, name in enumerate(("A100", "A100", "H100", "A100")):
        ledger.start_attempt(number)
        ledger.finish(number, 1, "COMPLETE", records=[Record("summary", 0, {}, {DEVICE: name})])
        said.append(devices.on_end(ledger.trial(number)))
        if number == 0:
            devices = Devices(ledger)  # a resumed study asks its ledger
    ledger.close()
    assert [text is None for text in said] == [True, True, False, True]
    assert str(said[2]).startswith("trial 2 was computed on H100, earlier ones on A100: bit for bit")


@pytest.mark.parametrize("faster", [False, True])
def test_the_way_of_convolutions_that_is_faster_is_taken(faster: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that knows: the first trial of a kind asks it about both ways, the second one about none."""
    asked, found = [], dict[tuple[object, ...], bool]()

    def seconds(step: object) -> float:
        asked.append(step)
        return {1: 1.0, 2: 0.5 if faster else 0.95}[len(asked)]

    monkeypatch.setattr(convolving, "seconds", seconds)
    monkeypatch.setattr(convolving, "_found", found)
    with counting_device() as device:
        first = ran(trial(), "cuda")
        grouped = device.counts.kernels["convolution"]
        again = ran(trial(), "cuda")
    assert len(asked) == 2
    assert [*found.values()] == [faster]
    way = "one network after another" if faster else "grouped"
    assert [records[-1].notes[CONVOLUTIONS] for records in (first, again)] == [way, way]
    here = ran(trial(), "cpu")
    assert CONVOLUTIONS not in here[-1].notes
    for one, other in zip(first, here, strict=True):
        if "level/train_loss" in other.metrics:
            assert one.metrics["level/train_loss"] == pytest.approx(other.metrics["level/train_loss"], rel=1e-2)
    with counting_device() as device:
        other_way = ran(trial(), "cuda", one_by_one=not faster)
    assert other_way[-1].notes[CONVOLUTIONS] != way
    assert len(asked) == 2, "what was recorded is not measured again"
    assert (device.counts.kernels["convolution"] > grouped) == (not faster)


def test_both_ways_are_really_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is captured and replayed, and neither trains anything or draws a mask."""
    monkeypatch.setattr(convolving, "_found", {})
    chosen = trial(model__name="wide_resnet", model__dropout=0.3, training__epochs=1)
    with counting_device() as device:
        first = ran(chosen, "cuda")
        measured = device.counts.copy()
        again = ran(chosen, "cuda", one_by_one=first[-1].notes[CONVOLUTIONS] != "grouped")
    assert device.counts.since(measured).total < measured.total
    for one, other in zip(first, again, strict=True):
        assert {n: v for n, v in one.metrics.items() if "cost/" not in n} == {
            n: v for n, v in other.metrics.items() if "cost/" not in n
        }


def test_a_trial_without_convolutions_measures_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolving, "seconds", None)
    with counting_device():
        for fields in ({"model__name": "mlp"}, {"replicates": 1, "control": False}):
            assert CONVOLUTIONS not in ran(trial(**fields), "cuda")[-1].notes


def test_a_resumed_trial_goes_on_with_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolving, "_found", {})
    times = iter((1.0, 0.1))
    monkeypatch.setattr(convolving, "seconds", lambda _step: next(times))
    store = CheckpointStore(tmp_path, 1, interval_s=0)
    with counting_device():
        running = run_trial(trial(), TrialContext(0, Path("unused"), "cuda", checkpoints=store))
        next(record for record in running if record is not None and record.stage == "level")
        next(running)
        monkeypatch.setattr(convolving, "_found", {})
        context = TrialContext(0, Path("unused"), "cuda", checkpoints=store)
        workspace = finish(run_to_level(trial(), context, 1))
        assert workspace.one_by_one is True
        assert workspace.networks_here().one_by_one is True
