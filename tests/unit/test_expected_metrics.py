"""What a trial is expected to report is what it reports, and what goals are held against."""

from pathlib import Path
from typing import Any

import pytest

from search_spaces.space import Choices, SearchSpace
from study.config import StudyConfig
from study.errors import UsageError
from study.settings.goals import check_goals
from tests.engine import config
from trainables.summary.expected import expected_metrics
from trainables.trial import TrialContext, run_trial

pytestmark = pytest.mark.slow

# Networks that fit, so that whatever can be defined is.
FITTING: dict[str, Any] = {"model__width": 48, "training__epochs": 60, "data__split": (60, 40, 40)}
CASES: list[dict[str, Any]] = [
    {},
    {"control": False},
    {"data__label_noise": 0.0},
    {"data__noise_kind": "renamed"},
    {"compression__rate": 0.3},
    {"compression__recovery": "finetune", "compression__recovery_epochs": 2},
    {
        "compression__recovery": "rewind",
        "compression__recovery_epochs": 4,
        "compression__granularity": "weight",
    },
    {"compression__method": "distill", "compression__distill": {"epochs": 2}},
    {"compression__method": "merge"},
    {"compression__method": "group_sparse", "compression__group_sparse": {"epochs": 2}},
    {"compression__method": "prune+quantize"},
    {"compression__method": "low_rank"},
    {"data__name": "teacher", "data__teacher": {"task": "regression"}, "compression__method": "distill"},
]


@pytest.mark.parametrize("fields", CASES, ids=lambda fields: " ".join(map(str, fields.values())) or "default")
def test_a_trial_reports_what_is_expected_and_nothing_else(fields: dict[str, Any]) -> None:
    trial = config(**{**FITTING, **fields})
    expected, early = expected_metrics(trial), expected_metrics(trial, while_training=True)
    reported: set[str] = set()
    for record in run_trial(trial, TrialContext(0, Path("unused"))):
        if record is not None:
            reported |= set(record.metrics)
            if record.stage == "dense" and record.step < trial.training.epochs and not record.notes:
                assert set(record.metrics) <= early
    assert reported - expected == set()
    assert {name for name in expected - reported if not _may_be_undefined(name)} == set()


def _may_be_undefined(name: str) -> bool:
    return any(
        word in name
        for word in ("contrast", "iid", "epochs_to_fit", "retained", "auc", "_at_", "kept", "ci95", "top_class")
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"objectives": ["nonsense"]}, "--objective nonsense: no trial of this study reports that"),
        ({"objectives": ["val/los:min"]}, "Did you mean val/loss"),
        ({"objectives": ["contrast/ouc"]}, "Did you mean contrast/auc"),
        ({"constraints": ["cost/second:max=30"]}, "--constraint cost/second: no trial of this study reports that"),
        ({"constraints": ["cost/second:max=30"]}, "cost/seconds"),
        ({"objectives": ["compressibility/auc", "level/transfer_agreement"]}, "--objective level/transfer_agreement"),
        ({"objectives": ["cost/latency_ms:min"], "gpus_per_trial": 0.5}, "timed on the CPU, and not beside a GPU"),
        ({"base": {"control": False}}, "no clean twins (control=false)"),
        ({"base": {"data.label_noise": 0}}, "no clean twins (data.label_noise=0"),
        ({"base": {"data.label_noise": 0}, "objectives": ["train/changed_accuracy"]}, "--objective train/changed"),
        (
            {"sampler": "design", "scheduler": "asha", "stopping": {"metric": "control/val/accuracy"}}
            | {"base": {"control": False}},
            "--scheduler-metric control/val/accuracy",
        ),
    ],
)
def test_a_metric_that_no_trial_reports_is_refused(fields: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        check_goals(_search(tmp_path, fields))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"objectives": ["val/loss", "gap/val_accuracy"], "constraints": ["cost/seconds:max=30"]},
        {"objectives": ["compressibility/auc/ci95:min"]},
        {"objectives": ["baseline/scratch_auc"], "base": {"compression.method": "distill"}},
        {
            "objectives": ["level/transfer_agreement"],
            "span": {"compression.method": Choices(values=("prune", "distill"))},
        },
        {"objectives": ["levels_survived"], "base": {"compression.rate": 0.2}},
        {
            "objectives": ["val/r2"],
            "base": {"data.name": "teacher", "data.teacher.task": "regression", "data.label_noise": 0.5},
        },
        {"sampler": "design", "base": {"control": False}},
        {"sampler": "design", "scheduler": "asha", "stopping": {"metric": "control/val/accuracy"}},
    ],
)
def test_what_some_trial_reports_is_a_goal(fields: dict[str, Any], tmp_path: Path) -> None:
    check_goals(_search(tmp_path, fields))


def _search(home: Path, fields: dict[str, Any]) -> StudyConfig:
    base = {"data.name": "digits", "data.label_noise": 1.0, **fields.get("base", {})}
    space = SearchSpace(base=base, span=fields.get("span", {"model.width": Choices(values=(8, 16))}))
    named = {name: value for name, value in fields.items() if name not in ("base", "span", "gpus_per_trial")}
    run = {"home": home, "gpus_per_trial": fields.get("gpus_per_trial", 0)}
    return StudyConfig.model_validate({"sampler": "tpe", "run": run, **named, "space": space})
