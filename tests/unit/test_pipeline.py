"""Which methods follow which, what their curves are drawn against, and how far those reach."""

import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from search_spaces.notation import apply_settings
from search_spaces.space import SearchSpace
from study.config import RunConfig, StudyConfig
from study.errors import UsageError
from study.settings.freezing import freeze_config
from tests.engine import config, records
from trainables.compression.pipeline import pipeline_of

pytestmark = pytest.mark.slow


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as error:
        config(**{f"compression__{name}": value for name, value in fields.items()})
    return str(error.value)


def test_methods_follow_in_the_order_of_their_stages() -> None:
    pipeline = pipeline_of(config(compression__method="prune+low_rank+quantize").compression)
    assert [type(method).__name__ for method in pipeline.methods] == ["Prune", "LowRank", "Quantize"]
    assert pipeline_of(config(compression__method="quantize").compression).maker is None
    assert pipeline_of(config(compression__method="distill+share").compression).trains
    for wrong in (
        "quantize+prune",
        "prune+merge",
        "quantize+share",
        "low_rank+dct",
        "prune+hypernet",
        "quantize+low_rank",
    ):
        assert "can't follow" in refused(method=wrong)
    assert "no compression method 'quantise'" in refused(method="prune+quantise").lower() or "quantize" in refused(
        method="prune+quantise"
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"method": "quantize", "recovery": "finetune", "recovery_epochs": 3}, "would undo"),
        ({"method": "hypernet", "recovery": "finetune", "recovery_epochs": 3}, "would undo"),
        ({"method": "dct", "rate": 0.2}, "use target_ratio"),
        ({"method": "quantize", "depth": 9}, "more levels than quantize has steps"),
        ({"method": "share", "depth": 12, "share": {"first_clusters": 8}}, "more levels than share has steps"),
        ({"method": "quantize", "quantize": {"bits": 4, "first_bits": 3}}, "levels walk down"),
        ({"method": "quantize", "quantize": {"codebook": "kmeans", "symmetric": False}}, "of codebook=uniform"),
        ({"method": "prune+low_rank", "granularity": "weight"}, "fill in what is masked"),
        ({"method": "prune+dct", "scope": "global"}, "fill in what is masked"),
        ({"method": "distill+low_rank", "low_rank": {"of": "update"}}, "of=update needs"),
        ({"method": "quantize", "ratio": "parameters"}, "stays where it is"),
        ({"method": "merge", "direction": "highest"}, "is for method=prune"),
        ({"method": "merge+quantize", "granularity": "weight"}, "is for method=prune"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    assert said in refused(**fields)


def test_curves_are_drawn_against_what_gets_smaller() -> None:
    def ratio(method: str, **fields: Any) -> str:
        return config(compression__method=method, **fields).compression.curve_ratio

    assert {ratio(method) for method in ("prune", "merge", "low_rank", "dct")} == {"parameters"}
    assert {ratio(method) for method in ("quantize", "share", "prune+quantize")} == {"description_length"}
    assert ratio("prune", compression__ratio="description_length") == "description_length"
    fields = {"compression__quantize": {"bits": 4}}
    assert config(**fields | {"compression__method": "quantize"}).fingerprint() != config().fingerprint()
    assert "ratio" not in config().model_dump(exclude_defaults=True).get("compression", {})


REACHES: list[dict[str, Any]] = [
    {"method": "quantize"},
    {"method": "share"},
    {"method": "prune+quantize", "granularity": "weight"},
    {"method": "prune+share", "scope": "global"},
    {"method": "low_rank+share"},
    {"method": "dct+quantize"},
    {"method": "quantize", "quantize": {"codebook": "kmeans", "per": "channel", "bits": 3}},
    {"method": "prune", "granularity": "weight", "ratio": "description_length"},
    {"method": "prune", "ratio": "description_length"},
]


@pytest.mark.parametrize("fields", REACHES, ids=lambda fields: " ".join(map(str, fields.values())))
def test_every_curve_reaches_what_was_promised_before(fields: dict[str, Any]) -> None:
    trial = config(
        **{f"compression__{k}": v for k, v in fields.items()}, model__width=32, training__epochs=30, replicates=2
    )
    summary = records(trial)[-1]
    limit = summary.metrics["compressibility/log2_ratio_limit"]
    last = [row["ratio"] for row in summary.networks if row["level"] == 2]
    assert 2**limit <= min(last) < 2.5 * 2**limit
    assert "compressibility/auc" in summary.metrics
    assert summary.notes["compressibility/ratio"] == "description_length"
    assert "compressibility/log2_params_at_half" not in summary.metrics
    assert all(row["description_ratio"] == row["ratio"] for row in summary.networks)


def study_of(tmp_path: Path, *settings: str) -> StudyConfig:
    base = {"data.name": "digits", "model.width": 32, "compression.depth": 4, "data.label_noise": 1.0}
    space = apply_settings(SearchSpace(base=base), list(settings))
    return StudyConfig(name="mixed", space=space, run=RunConfig(home=tmp_path))


def test_a_study_that_mixes_methods_has_one_ratio_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    mixed = freeze_config(study_of(tmp_path, "compression.method=prune,quantize,prune+quantize"), said.append)
    assert mixed.space.base["compression.ratio"] == "description_length"
    assert "leaves the parameter count as it is" in said[0]
    limit = mixed.space.base["compression.auc_log2_ratio"]
    assert 3.9 < limit < 4.3
    alone = freeze_config(study_of(tmp_path, "compression.method=quantize,share"), said.append)
    assert "compression.ratio" not in alone.space.base
    assert 4 < alone.space.base["compression.auc_log2_ratio"] < 5
    assert len(said) == 1
    plain = study_of(tmp_path, "compression.method=prune,merge")
    assert freeze_config(plain, said.append) == plain


def test_a_target_that_a_method_cannot_reach_is_lowered_for_all(tmp_path: Path) -> None:
    said: list[str] = []
    lowered = freeze_config(study_of(tmp_path, "compression.method=prune,low_rank,dct"), said.append)
    assert lowered.space.base["compression.auc_log2_ratio"] == pytest.approx(math.log2(3466 / 554), abs=1e-6)
    assert "is more than some trials reach, 6.3 with model.width=32 and method=low_rank" in said[0]
    reachable = study_of(tmp_path, "compression.method=prune,low_rank", "compression.target_ratio=5")
    assert freeze_config(reachable, said.append) == reachable
    trial = config(compression__method="low_rank", model__width=32, training__epochs=30)
    summary = records(trial)[-1].metrics
    assert summary["compressibility/log2_ratio_limit"] == 2
    assert "compressibility/auc" in summary


def test_a_study_that_spans_the_ratio_is_refused(tmp_path: Path) -> None:
    spans = study_of(tmp_path, "compression.ratio=parameters,description_length")
    with pytest.raises(UsageError, match=r"compression\.ratio is spanned"):
        freeze_config(spans, lambda _: None)


def test_batch_norm_is_recalibrated_after_rewriting_and_both_are_recorded() -> None:
    trial = config(
        model__name="resnet20",
        model__width=4,
        compression__method="prune+quantize",
        compression__recovery="finetune",
        compression__recovery_epochs=2,
        training__epochs=8,
        replicates=1,
    )
    levels = [record.metrics for record in records(trial) if record.stage == "level"]
    assert "level/stale_train_accuracy" in levels[1]
    assert levels[1]["level/ratio"] > 3 * levels[1]["level/parameter_ratio"]
    assert levels[1]["baseline/level/train_accuracy"] > 0
    assert levels[2]["control/level/ratio"] == pytest.approx(levels[2]["level/ratio"], rel=0.2)
