"""The configuration of a trial: what it refuses, and what identifies it."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from trainables.config import TrialConfig
from trainables.dotted import flatten, unflatten
from trainables.explain import explain


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        TrialConfig.model_validate(unflatten(values))
    return explain(caught.value, TrialConfig)


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"model.widht": 3}, ["model.widht", "Did you mean 'width'", "hidden_layers"]),
        ({"modle.width": 3}, ["modle", "Did you mean 'model'"]),
        ({"training.lr": 0}, ["training.lr", "greater than 0", "given: 0"]),
        ({"training.lr": float("nan")}, ["training.lr", "finite"]),
        ({"training.momentm": 0.9}, ["training.momentm", "Did you mean 'momentum'"]),
        ({"data.label_noise": 1.5}, ["data.label_noise", "less than or equal to 1", "1.5"]),
        ({"data.label_noise": "lots"}, ["data.label_noise", "number", "lots"]),
        ({"data.noise_kind": "unifrom"}, ["data.noise_kind", "uniform", "renamed"]),
        ({"data.name": "mnst"}, ["data.name", "Did you mean 'mnist'", "digits"]),
        ({"data.split": (0, 1, 1)}, ["data.split", "at least one example"]),
        ({"data.image_folder.path": "/x"}, ["data", "image_folder"]),
        ({"compression.rate": 0.2, "compression.target_ratio": 4}, ["exclude each other"]),
        ({"compression.target_ratio": None}, ["target_ratio", "rate"]),
        ({"compression.recovery": "finetune"}, ["recovery", "at least 1"]),
        ({"compression.recovery_epochs": 3}, ["recovery", "'none' goes with 0"]),
        ({"data.name": "image_folder", "data.image_folder.sice": 3}, ["image_folder", "sice"]),
        ({"replicates": 0}, ["replicates", "greater than or equal to 1"]),
    ],
)
def test_a_refusal_names_field_reason_and_way_out(values: dict[str, Any], parts: list[str]) -> None:
    said = refusal(values)
    for part in parts:
        assert part in said
    assert said.endswith((".", "?"))
    assert "\n" not in said


def test_a_configuration_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TrialConfig().replicates = 7  # type: ignore[misc]


def test_rate_replaces_the_default_target() -> None:
    config = TrialConfig.model_validate({"compression": {"rate": 0.2}})
    assert config.compression.target_ratio is None
    again = TrialConfig.model_validate_json(config.model_dump_json())
    assert again == config


def test_controls_exist_where_they_would_differ() -> None:
    assert not TrialConfig().has_control
    assert TrialConfig.model_validate({"data": {"label_noise": 0.1}}).has_control
    assert TrialConfig.model_validate({"data": {"inputs": "gaussian"}}).has_control
    assert not TrialConfig.model_validate({"data": {"label_noise": 0.1}, "control": False}).has_control


def test_flat_and_back() -> None:
    config = TrialConfig.model_validate(
        {"data": {"name": "image_folder", "image_folder": {"path": "/images"}, "split": [5, 4, 3]}}
    )
    flat = config.flat()
    assert flat["data.image_folder.path"] == "/images"
    assert flat["data.split"] == [5, 4, 3]
    assert TrialConfig.model_validate(unflatten(flat)) == config
    assert flatten(unflatten(flat)) == flat
    with pytest.raises(ValueError, match="has no fields"):
        unflatten({"a": 1, "a.b": 2})


def test_fingerprints_ignore_how_a_value_was_written_and_see_every_change() -> None:
    default = TrialConfig().fingerprint()
    assert TrialConfig.model_validate({"model": {"width": 128}}).fingerprint() == default
    half = TrialConfig.model_validate({"data": {"label_noise": 1}}).fingerprint()
    assert half == TrialConfig.model_validate({"data": {"label_noise": 1.0}}).fingerprint()
    assert len({default, half, TrialConfig(seed=1).fingerprint(), TrialConfig(replicates=6).fingerprint()}) == 4


def test_checking_a_configuration_needs_no_torch() -> None:
    code = (
        "import sys; from search_spaces.catalog import get, names; [get(n) for n in names()];"
        "from trainables.config import TrialConfig;"
        "TrialConfig.model_validate({'data': {'name': 'image_folder', 'image_folder': {'path': '/x'}}});"
        "print(sorted({'torch', 'torchvision', 'ray', 'mlflow', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
