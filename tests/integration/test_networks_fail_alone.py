"""A network that diverges is missing, with its reason; the others are what they would have been without it."""

import math
from typing import Any

import pytest

from tests.engine import config, records
from trainables.errors import TrialDiverged
from trainables.record import Record
from trainables.training.loop import Training

BASE: dict[str, Any] = {"training__epochs": 12, "training__lr": 0.1, "control": True}
LATER = {"compression__recovery": "finetune", "compression__recovery_epochs": 4}
VARIANTS: dict[str, dict[str, Any]] = {
    "prune": {},
    "rewind": {"compression__recovery": "rewind", "compression__recovery_epochs": 4},
    "late": {
        "compression__recovery": "rewind",
        "compression__recovery_epochs": 4,
        "compression__rewind_to": 2.0,
        "training__stop_at_train_loss": None,
    },
    "distill": {"compression__method": "distill", "compression.distill.epochs": 2},
    "merge": {"compression__method": "merge"},
    "low_rank+quantize": {"compression__method": "low_rank+quantize"},
    "masks": {"compression__granularity": "weight", "compression__criterion": "taylor"},
    "resnet20": {"model__name": "resnet20", "model__width": 2, "training__epochs": 3, "data__split": (60, 20, 20)},
}
ODD = 1


def break_in(monkeypatch: pytest.MonkeyPatch, training: str, network: int = ODD) -> None:
    """After the first epoch of the trainings of that name a weight of one network is beyond all numbers."""
    run_epoch = Training.run_epoch

    def broken(self: Training) -> Any:
        yield from run_epoch(self)
        if self.name == training and self.epoch == 1:
            trains = network in self._active
            first = next(iter((self._steps.model if trains else self.model).tensors().values()))
            first[self._active.index(network) if trains else network].view(-1)[0] = math.nan

    monkeypatch.setattr(Training, "run_epoch", broken)


def rows(found: list[Record]) -> dict[tuple[str, int, int], dict[str, Any]]:
    return {(row["arm"], row["network"], row["level"]): row for row in found[-1].networks}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_others_are_what_they_would_have_been(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = config(**{**BASE, **VARIANTS[variant]})
    whole = rows(records(trial))
    break_in(monkeypatch, "dense")
    found = records(trial)
    there = rows(found)
    assert there.keys() == whole.keys()
    for key, row in there.items():
        arm, network, _ = key
        if (arm.removeprefix("scratch_"), network) == ("replicate", ODD):
            continue
        for name, value in row.items():
            close = {"rel": 1e-5, "abs": 0.02} if isinstance(value, float) else {}
            assert value == pytest.approx(whole[key][name], nan_ok=True, **close), (key, name)
    for level in range(3):
        lost = there["replicate", ODD, level]
        assert (lost["train_accuracy"], lost["val_loss"], lost["fidelity"]) == (None, None, None)
        assert lost["failed"].startswith("dense: the loss was no longer finite in epoch 2 (lr 0.1, sgd)")
        assert (lost["interpolated"], lost["fitted"], lost["stop_reason"]) == (False, False, "diverged")


def test_it_is_counted_as_missing_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = config(**BASE | {"training__epochs": 150, "model__width": 32})
    break_in(monkeypatch, "dense")
    found = records(trial)
    dense = next(record for record in reversed(found) if record.stage == "dense")
    assert dense.notes["train/diverged"].startswith("1 of 3 missing; network 1: dense: the loss was no longer finite")
    assert "control/train/diverged" not in dense.notes
    assert dense.metrics["train/interpolated"] == dense.metrics["control/train/interpolated"] == 1
    assert "diverged x1" in dense.notes["train/stop_reason"]
    assert dense.notes["networks/train/accuracy"] == "2 of 3"
    summary = found[-1]
    assert summary.notes["networks/compressibility/auc"] == "2 of 3"
    assert summary.metrics["contrast/pairs"] == 2
    assert summary.notes["contrast/excluded"] == "1 of 3 pairs: a twin diverged"
    assert all(math.isfinite(value) for record in found for value in record.metrics.values())


@pytest.mark.parametrize(
    ("training", "arm"), [("level 1 recovery", "replicate"), ("level 1 scratch", "scratch_replicate")]
)
def test_one_that_diverges_later_is_missing_from_there_on(
    training: str, arm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_in(monkeypatch, training)
    there = rows(records(config(**BASE, **LATER)))
    assert there[arm, ODD, 0]["train_accuracy"] is not None
    assert there[arm, ODD, 1]["train_accuracy"] is None
    assert training in there[arm, ODD, 1]["failed"]
    assert (there[arm, ODD, 2]["train_accuracy"] is None) == (arm == "replicate"), "fresh networks begin anew"
    others = [row for key, row in there.items() if key[:2] != (arm, ODD)]
    assert not any(row["failed"] for row in others)
    assert all(row["train_accuracy"] is not None for row in others)


def test_the_trial_fails_where_all_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for network in range(3):
        break_in(monkeypatch, "dense", network)
    with pytest.raises(TrialDiverged, match=r"dense: the loss was no longer finite in epoch 2 .*, of all 3 networks"):
        records(config(**BASE | {"data__label_noise": 0.0}))


def test_weights_lost_in_the_last_step_are_seen_too(monkeypatch: pytest.MonkeyPatch) -> None:
    break_in(monkeypatch, "dense")
    there = rows(records(config(**BASE | {"training__epochs": 1})))
    assert there["replicate", ODD, 0]["failed"].startswith("dense: the weights were no longer finite in epoch 1")
    assert there["replicate", ODD, 2]["train_accuracy"] is None
