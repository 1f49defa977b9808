"""What a study spans: what it asks for, as far as anything reads it."""

from pathlib import Path

import pytest

from search_spaces.space import SearchSpace
from study.proposing import Proposer
from study.settings.creation import open_or_create
from study.settings.loading import LaunchOptions, load_study
from study.settings.spans import conditions
from tests.studies_for_tests import a_study
from trainables.compression.interfaces import METHODS
from trainables.config import CompressionConfig, ModelConfig
from trainables.stack.interfaces import MODELS


def test_a_name_without_a_space_spans_nothing_that_is_not_asked_for() -> None:
    loaded = load_study(LaunchOptions(source=None, name="wide", settings=("model.width=64..1024:log",)))
    assert list(loaded.config.space.span) == ["model.width"]
    assert loaded.config.space.base["data.label_noise"] == 1
    assert loaded.config.name == "wide"
    assert "only what --set spans is spanned" in loaded.notes[0]
    nothing = load_study(LaunchOptions(source=None, name="one", trials=3)).config
    assert nothing.space.span == {}
    Proposer(nothing)


def test_without_a_name_it_is_the_usual_study() -> None:
    usual = load_study(LaunchOptions(source=None, settings=("data.name=mnist",))).config
    assert usual.name == "redundancy"
    assert "compression.criterion" in usual.space.span
    assert load_study(LaunchOptions(source=None)).config == load_study(LaunchOptions(source="redundancy")).config
    named = load_study(LaunchOptions(source="redundancy", name="mine")).config
    assert list(named.space.span) == list(usual.space.span)


@pytest.mark.parametrize("methods", ["low_rank,quantize", "merge", "low_rank+quantize"])
def test_what_no_method_reads_is_not_spanned(methods: str) -> None:
    loaded = load_study(LaunchOptions(settings=(f"compression.method={methods}", "compression.depth=3,6")))
    assert "compression.criterion" not in loaded.config.space.span
    assert any(note.startswith("compression.criterion is not spanned: method=") for note in loaded.notes)
    assert {"data.label_noise", "model.width", "compression.depth"} <= set(loaded.config.space.span)


def test_what_some_methods_read_is_spanned_under_those() -> None:
    settings = ("compression.method=prune,low_rank,prune+quantize", "compression.depth=3,6")
    span = load_study(LaunchOptions(settings=settings)).config.space.span
    assert span["compression.criterion"].when == {"compression.method": ("prune", "prune+quantize")}
    settings = ("compression.method=prune,distill", "compression.transfer=noise,train")
    both = load_study(LaunchOptions(settings=settings)).config.space.span
    assert both["compression.transfer"].when == {"compression.method": ("distill",)}
    assert both["compression.criterion"].when == {"compression.method": ("prune",)}


def test_what_is_fixed_and_unread_is_said() -> None:
    settings = ("compression.method=merge", "compression.criterion=random")
    notes = load_study(LaunchOptions(settings=settings)).notes
    assert "compression.criterion stays random, which says nothing: method=merge does not read it." in notes
    assert load_study(LaunchOptions(settings=("compression.criterion=random",))).notes == ()


def test_entries_read_fields_that_there_are() -> None:
    for registry, section in ((METHODS, CompressionConfig), (MODELS, ModelConfig)):
        for name in registry.names():
            assert set(registry.get(name).reads) <= set(section.model_fields)


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ({"data.label_noise": 1.0}, "data.label_noise=1 data.noise_kind=uniform data.inputs=true; a clean twin beside"),
        ({"data.label_noise": 0.5, "control": False}, "data.label_noise=0.5 data.noise_kind=uniform"),
        ({"data.label_noise": 0.5, "control": False}, "no clean twins"),
        ({}, "nothing to memorise"),
    ],
)
def test_conditions_are_said(base: dict[str, object], said: str) -> None:
    assert said in conditions(SearchSpace(base=base))


def test_conditions_are_said_before_the_first_trial(tmp_path: Path) -> None:
    lines: list[str] = []
    open_or_create(a_study(tmp_path), lines.append)
    assert "conditions: data.label_noise=0,0.5,1 data.noise_kind=uniform data.inputs=true" in lines[-1]


@pytest.mark.parametrize(("width", "said"), [("8,16", True), ("8..10", True), ("8..900", False)])
def test_a_search_that_must_repeat_itself_says_so(width: str, said: bool) -> None:
    options = LaunchOptions(source=None, name="few", sampler="tpe", trials=10, settings=(f"model.width={width}",))
    notes = load_study(options).notes
    assert any("different settings to choose from, and 10 trials" in note for note in notes) == said
