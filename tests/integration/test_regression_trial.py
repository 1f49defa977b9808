"""Whole trials that ask for numbers: R² stands wherever accuracy stands for classes, and all that compresses runs."""

from dataclasses import asdict
from typing import Any

import pytest

from tests.engine import config, records
from trainables.compression.interfaces import CRITERIA, METHODS
from trainables.config import TrialConfig
from trainables.record import Record

FIELDS = {
    "data__name": "teacher",
    "data.teacher.task": "regression",
    "data.teacher.features": 16,
    "data.teacher.units": 8,
    "model__width": 32,
    "training__lr": 0.02,
}


def numbers(**fields: Any) -> TrialConfig:
    return config(**{**FIELDS, "data__noise_kind": "permuted", **fields})


def names(found: list[Record]) -> set[str]:
    """Of all metrics, notes and columns."""
    columns = {column for record in found for row in record.networks for column in row}
    return columns | {name for record in found for name in (*record.metrics, *record.notes)}


@pytest.fixture(scope="module")
def whole() -> list[Record]:
    return records(numbers(training__epochs=300))


@pytest.fixture(scope="module")
def dense(whole: list[Record]) -> Record:
    return [record for record in whole if record.stage == "dense"][-1]


def test_r2_stands_where_accuracy_stands(whole: list[Record], dense: Record) -> None:
    of_classes = records(config(data__noise_kind="permuted"))
    expected = {name.replace("accuracy", "r2") for name in names(of_classes)}
    found = names(whole)
    assert not {name for name in found if "accuracy" in name}
    missing = expected - found
    kappa = {f"{arm}level/kappa{end}" for arm in ("", "control/") for end in ("", "/ci95")}
    luck = {name for name in missing if name.startswith(("networks/", "undefined/", "contrast/"))}
    margins = {name for name in missing if "measure/margins/" in name}  # of classes only
    assert missing - luck - margins <= kappa | {"control/gap/iid_r2/ci95"}
    m = dense.metrics
    assert m["gap/r2"] == pytest.approx(m["train/r2"] - m["test/r2"])
    assert m["train/r2"] == pytest.approx(1 - m["train/loss"], abs=0.02), "losses are in units of the variance"
    assert m["control/val/r2"] > 0.7 > m["val/r2"]
    assert m["train/changed_r2"] > 0.9
    assert m["train/recovered_r2"] < 0
    assert m["train/interpolated"] == m["control/train/interpolated"] == 1


def test_what_is_not_defined_is_absent_and_the_reason_is_said(whole: list[Record], dense: Record) -> None:
    level = next(record for record in whole if record.stage == "level")
    assert not [name for name in level.metrics if "kappa" in name]
    assert "chance" in level.notes["undefined/level/kappa"]
    assert "gap/iid_r2" not in dense.metrics
    assert "no formula" in dense.notes["undefined/gap/iid_r2"]
    assert dense.metrics["control/gap/iid_r2"] == dense.metrics["control/gap/r2"]
    assert all(row["chance"] == 0 and row["kappa"] is None for row in whole[-1].networks)


def test_memorised_numbers_break_earlier(whole: list[Record]) -> None:
    m = whole[-1].metrics
    assert m["contrast/pairs"] == 3
    assert 0 < m["compressibility/auc"] < m["control/compressibility/auc"] < 1
    assert m["contrast/auc"] > 0
    assert "compressibility/selectivity" in m


def test_fidelity_is_r2_against_the_dense_network(whole: list[Record]) -> None:
    rows = whole[-1].networks
    assert all(row["fidelity"] == 1 for row in rows if row["level"] == 0)
    assert all(row["fidelity"] < 1 for row in rows if row["level"] == 2)


def test_uniform_noise_has_a_gap_on_its_own_distribution() -> None:
    fields = {"data__noise_kind": "uniform", "data.teacher.outputs": 2, "data.teacher.activation": "erf"}
    found = records(numbers(training__epochs=3, **fields))
    m = [record for record in found if record.stage == "dense"][-1].metrics
    assert m["gap/iid_r2"] != m["gap/r2"]
    assert 0.3 < m["data/changed_share"] < 0.7


def test_networks_stop_by_their_running_r2_without_a_stop_rule() -> None:
    found = records(numbers(training__epochs=150, training__stop_at_train_loss=None, data__label_noise=0.0))
    m = [record for record in found if record.stage == "dense"][-1].metrics
    assert m["train/interpolated"] == 1
    assert 1 < m["train/epochs_to_fit"] < 150


@pytest.mark.parametrize("method", METHODS.names())
def test_every_method_compresses_them(method: str) -> None:
    short = {f"compression.{method}.epochs": 2} if "epochs" in METHODS.get(method).model_fields else {}
    found = records(numbers(training__epochs=2, compression__method=method, replicates=2, data__label_noise=1, **short))
    assert found[-1].stage == "summary"
    assert not {name for name in names(found) if "accuracy" in name}
    if method == "distill":
        last = [record for record in found if record.stage == "level"][-1].metrics
        assert last["level/transfer_agreement"] <= 1
        assert "level/teacher_top_class_share" not in last


@pytest.mark.parametrize("criterion", [name for name in CRITERIA.names() if name != "batch_norm_scale"])
def test_every_criterion_scores_them(criterion: str) -> None:
    found = records(numbers(training__epochs=2, compression__criterion=criterion, replicates=2))
    widths = {row["widths"] for row in found[-1].networks}
    assert len(widths) == 3


def test_students_follow_their_teachers_outputs() -> None:
    distilled = {"compression__method": "distill", "compression.distill.epochs": 40, "compression__transfer": "train"}
    found = records(numbers(training__epochs=60, data__label_noise=0.0, compression__rate=0.2, **distilled))
    last = [record for record in found if record.stage == "level"][-1].metrics
    assert last["level/transfer_agreement"] > 0.9


def test_same_trial_same_bits() -> None:
    first, again = (records(numbers(training__epochs=4)) for _ in range(2))
    assert [asdict(record)["networks"] for record in first] == [asdict(record)["networks"] for record in again]
