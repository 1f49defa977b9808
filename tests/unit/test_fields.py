"""`ockham fields`: what can be set of a trial."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from search_spaces.space import Choices, Range, SearchSpace
from study.cli import main
from study.config import StudyConfig
from study.errors import UsageError
from study.proposing import Proposer
from study.sampling.interfaces import SAMPLERS
from study.settings.fields import SettableField, fields_like
from trainables.config import TrialConfig
from trainables.parts import field_type


def field(name: str) -> SettableField:
    (found,) = [field for field in fields_like() if field.name == name]
    return found


def test_it_lists_what_set_takes_and_each_has_a_meaning() -> None:
    names = [field.name for field in fields_like()]
    assert len(names) == len(set(names))
    assert set(TrialConfig().flat()) <= set(names)
    assert [name for name in names if field_type(TrialConfig, name) is None] == []
    assert [field.name for field in fields_like() if not field.meaning] == []


@pytest.mark.parametrize(
    ("name", "kind", "default"),
    [
        ("model.width", "whole number ≥ 1, ≤ 65536", 128),
        ("training.lr", "number > 0", 0.05),
        ("data.label_noise", "number ≥ 0, ≤ 1", 0.0),
        ("compression.rate", "number > 0, < 1, or none", None),
        ("compression.scope", "one of layer, global", "layer"),
        ("training.step_at", "numbers ≥ 0, ≤ 1 joined by +", (0.5, 0.75)),
        ("data.split", "3 whole numbers joined by +, or none", None),
        ("control", "true or false", True),
        ("compression.distill.epochs", "whole number ≥ 1", 30),
    ],
)
def test_type_and_default(name: str, kind: str, default: object) -> None:
    assert (field(name).kind, field(name).default) == (kind, default)


def test_who_reads_it() -> None:
    assert field("compression.criterion").read_by == {"compression.method": ("carry", "prune")}
    assert field("compression.distill.epochs").read_by == {"compression.method": ("distill",)}
    assert field("training.nesterov").read_by == {"training.optimizer": ("sgd",)}
    assert field("data.xor.pairs").read_by == {"data.name": ("xor",)}
    assert field("training.lr").read_by == {}
    assert "uniform" in field("data.noise_kind").values


@pytest.mark.parametrize(
    ("name", "some"),
    [
        ("model.width", (16, 32)),
        ("training.lr", (0.01, 0.1)),
        ("data.label_noise", (0.5, 1.0)),
        ("data.inputs", ("true", "gaussian")),
        ("training.optimizer", ("adam", "sgd")),
        ("control", (True, False)),
    ],
)
def test_who_may_span_it_is_who_does(name: str, some: tuple[Any, Any]) -> None:
    numbers = not isinstance(some[0], bool | str)
    does = []
    for sampler in SAMPLERS.names():
        spanned = Range(low=some[0], high=some[1]) if numbers and sampler != "grid" else Choices(values=some)
        try:
            objectives: dict[str, Any] = {"objectives": ["val/loss:min"]} if SAMPLERS.get(sampler).learns else {}
            space = SearchSpace(base={"data.name": "digits"}, span={name: spanned})
            Proposer(StudyConfig(name="any", space=space, trials=2, sampler=sampler, **objectives)).propose(0)
            does.append(sampler)
        except UsageError:
            continue
    assert tuple(does) == field(name).samplers


@pytest.mark.parametrize(("name", "value"), [("data.split", "9+5+6,8+6+6"), ("training.step_at", "0.5,0.7+0.9")])
def test_what_nobody_spans(name: str, value: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert field(name).samplers == field("seed").samplers == ()
    assert main(["launch", "--home", str(tmp_path / "home"), "--set", f"{name}={value}"]) == 2


def test_a_pattern_is_a_part_of_a_name_or_has_wildcards(capsys: pytest.CaptureFixture[str]) -> None:
    assert {field.name for field in fields_like("label")} == {"data.label_noise", "training.label_smoothing"}
    assert {field.name for field in fields_like("model.*width")} == {"model.width"}
    assert main(["fields", "Label_Noise"]) == 0
    shown = capsys.readouterr().out
    assert "data.label_noise  number ≥ 0, ≤ 1, default 0" in shown
    assert "Spanned by design, grid, qmc, random only." in shown


@pytest.mark.parametrize(
    ("wrong", "meant"), [("widht", "width"), ("data.lable_noise", "data.label_noise"), ("destill", "distill")]
)
def test_what_fits_nothing(wrong: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fields", wrong]) == 2
    assert f"{wrong!r}. Did you mean {meant!r}?" in " ".join(capsys.readouterr().err.split())


def test_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fields", "criterion", "--format", "json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["name"], told["default"], told["read_by"]["compression.method"]) == (
        "compression.criterion", "magnitude_l2", ["carry", "prune"]
    )  # fmt: skip
    assert main(["fields", "--out", str(tmp_path / "fields.csv")]) == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "fields.csv").read_text())))
    assert len(rows) == len(fields_like())
    assert {row["name"]: row["read_by"] for row in rows}["compression.transfer"] == "compression.method=distill"
    assert main(["fields", "criterion", "--out", str(tmp_path / "fields.txt")]) == 0
    said = "Read with compression.method=carry or compression.method=prune only."
    assert said in " ".join((tmp_path / "fields.txt").read_text().split())
    assert main(["fields", "--format", "yaml"]) == 2
    assert "choose one of csv, json, text" in capsys.readouterr().err
