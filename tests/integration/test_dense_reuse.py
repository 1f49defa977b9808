"""Dense networks are trained once and used again: the same numbers, whoever trained them, whatever died meanwhile."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests import engine
from trainables.checkpoints import CheckpointStore
from trainables.config import TrialConfig
from trainables.dense_store import DenseStore
from trainables.record import Record
from trainables.training.loop import Training
from trainables.trial import TrialContext, run_trial

GIB = 1 << 30
RECOVERIES: dict[str, dict[str, Any]] = {
    "none": {},
    "distill": {"compression.method": "distill", "compression.distill.epochs": 2},
    "finetune": {"compression.recovery": "finetune", "compression.recovery_epochs": 2},
    "rewind": {
        "compression.recovery": "rewind",
        "compression.recovery_epochs": 2,
        "compression.rewind_to": 0.5,
        "training.stop_at_train_loss": None,
    },
    "movement": {"compression.criterion": "distance_from_initialisation"},
    "dropped out": {"model.dropout": 0.2},
}


@pytest.fixture
def epochs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of the training of every epoch that is run."""
    run, ran = Training.run_epoch, list[str]()

    def counted(training: Training) -> Any:
        ran.append(training.name)
        return run(training)

    monkeypatch.setattr(Training, "run_epoch", counted)
    return ran


def ran(
    config: TrialConfig, dense: DenseStore | None, number: int = 0, store: CheckpointStore | None = None
) -> list[Record]:
    context = TrialContext(number, Path("unused"), checkpoints=store, cell="cell 0", dense=dense)
    return [record for record in run_trial(config, context) if record is not None]


def numbers(records: list[Record]) -> list[tuple[Any, ...]]:
    """All but what the trial cost."""

    def kept(named: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in named.items() if not name.startswith("cost/")}

    return [(r.stage, r.step, kept(r.metrics), kept(r.notes), r.networks) for r in records]


@pytest.mark.parametrize("fields", RECOVERIES.values(), ids=RECOVERIES.keys())
def test_networks_that_were_kept_give_the_numbers_of_those_trained(
    fields: dict[str, Any], tmp_path: Path, epochs: list[str]
) -> None:
    config, dense = engine.config(**fields), DenseStore(tmp_path / "dense", GIB)
    alone = ran(config, None)
    first = ran(config, dense)
    epochs.clear()
    second = ran(config, dense, number=7)
    assert numbers(alone) == numbers(first) == numbers(second)
    assert "dense" not in epochs
    assert "cost/reused_seconds" not in first[-1].metrics
    assert second[-1].metrics["cost/reused_seconds"] > 0
    assert second[-1].notes["cost/reused"] == "dense networks that had been trained before"
    assert not list((tmp_path / "dense").glob("*.lock"))


def test_instruments_meet_the_same_networks_which_are_trained_once(tmp_path: Path, epochs: list[str]) -> None:
    dense = DenseStore(tmp_path, GIB)
    instruments = {"compression.criterion": "movement"}, {"compression.depth": 3}, {"compression.method": "low_rank"}
    starts = []
    for number, fields in enumerate(({}, *instruments)):
        records = ran(engine.config(**fields), dense, number)
        starts.append([row["train_loss"] for row in records[-1].networks if row["level"] == 0])
    assert starts[0] == starts[1] == starts[2] == starts[3]
    assert epochs.count("dense") == 5
    assert len(list(tmp_path.glob("*.pt"))) == 1


@pytest.mark.parametrize(
    "fields", [{"training.lr": 0.04}, {"data.label_noise": 1.0}, {"replicates": 2}, {"control": False}, {"seed": 1}]
)
def test_other_networks_are_trained(fields: dict[str, Any], tmp_path: Path, epochs: list[str]) -> None:
    dense = DenseStore(tmp_path, GIB)
    ran(engine.config(), dense)
    epochs.clear()
    ran(engine.config(**fields), dense)
    assert "dense" in epochs


def test_what_was_measured_while_they_trained_comes_with_them(tmp_path: Path, epochs: list[str]) -> None:
    """Who wants to know less of that time takes them, and nothing else; who wants to know more trains."""
    dense, film = DenseStore(tmp_path, GIB), {"measures": "dynamics", "compression.depth": 1}
    alone = ran(engine.config(**film), None)[-1]
    ran(engine.config(measures="dynamics+norms"), dense)
    epochs.clear()
    plain, filmed = ran(engine.config(measures="norms"), dense)[-1], ran(engine.config(**film), dense)[-1]
    assert "dense" not in epochs
    assert not any(name.startswith("training/") for name in plain.arrays)
    assert not any(row["epoch"] is not None for row in plain.layers)
    assert filmed.layers == alone.layers
    assert {n: array.tobytes() for n, array in filmed.arrays.items()} == {
        n: array.tobytes() for n, array in alone.arrays.items()
    }
    fewer = ran(engine.config(**film, **{"measures.dynamics.units": 3}), dense)[-1]
    assert "dense" in epochs
    assert fewer.arrays["training/dynamics/vectors"].shape[2] == 3


def test_a_damaged_file_is_trained_anew_and_replaced(tmp_path: Path, epochs: list[str]) -> None:
    dense = DenseStore(tmp_path, GIB)
    expected = numbers(ran(engine.config(), dense))
    file = next(tmp_path.glob("*.pt"))
    whole = file.read_bytes()
    for torn in (whole[: len(whole) // 2], whole[:-50] + bytes([whole[-50] ^ 1]) + whole[-49:], b""):
        file.write_bytes(torn)
        epochs.clear()
        assert numbers(ran(engine.config(), dense)) == expected
        assert "dense" in epochs
        epochs.clear()
        ran(engine.config(), dense)
        assert "dense" not in epochs, "it is whole again"


@pytest.mark.parametrize("stop", [1, 3, 6, 8, 10])
def test_a_trial_goes_on_from_any_checkpoint_with_networks_from_elsewhere(stop: int, tmp_path: Path) -> None:
    config, dense = engine.config(), DenseStore(tmp_path / "dense", GIB)
    expected = numbers(ran(config, None))
    checkpoints = tmp_path / "checkpoints"
    mine = TrialContext(
        0, Path("unused"), checkpoints=CheckpointStore(checkpoints, 1, interval_s=0), cell="cell 0", dense=dense
    )
    trial = run_trial(config, mine)
    for _ in range(stop):
        next(trial)
    trial.close()
    ran(config, dense, number=1)  # somebody else finishes the same networks meanwhile
    store = CheckpointStore(checkpoints, 2, interval_s=0)
    assert numbers(ran(config, dense, store=store)) == expected


_SLOW = """
import sys, time
from pathlib import Path
from tests import engine
from trainables.dense_store import DenseStore
from trainables.trial import TrialContext, run_trial
context = TrialContext(0, Path("unused"), cell="cell 0", dense=DenseStore(Path(sys.argv[1]), 1 << 30))
for record in run_trial(engine.config(), context):
    print("alive", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def other_process(folder: Path, pause_s: float) -> subprocess.Popen[str]:
    """Runs the same trial; has begun when this returns."""
    command = [sys.executable, "-c", _SLOW, str(folder), str(pause_s)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    assert process.stdout.readline() == "alive\n"
    return process


def test_who_needs_what_another_process_trains_waits_for_it(tmp_path: Path, epochs: list[str]) -> None:
    expected = numbers(ran(engine.config(), None))
    epochs.clear()
    process = other_process(tmp_path, 0.05)
    try:
        assert numbers(ran(engine.config(), DenseStore(tmp_path, GIB))) == expected
        assert "dense" not in epochs
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "sent", [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.ends)], ids=["killed", "stopped"]
)
def test_nobody_waits_for_the_dead_or_the_silent(sent: signal.Signals, tmp_path: Path, epochs: list[str]) -> None:
    expected = numbers(ran(engine.config(), None))
    epochs.clear()
    process = other_process(tmp_path, 60.0)
    try:
        os.kill(process.pid, sent)
        if sent == signal.SIGKILL:
            process.wait()
        begun = time.monotonic()
        assert numbers(ran(engine.config(), DenseStore(tmp_path, GIB, patience_s=1.0))) == expected
        assert "dense" in epochs
        assert sent == signal.SIGKILL or time.monotonic() - begun > 1.0, "it was given its time"
    finally:
        process.kill()
        process.communicate()
    epochs.clear()
    assert numbers(ran(engine.config(), DenseStore(tmp_path, GIB))) == expected
    assert "dense" not in epochs
