"""The notation of --set."""

from typing import Any

import pytest

from search_spaces.notation import apply_settings, parse_scalar, parse_value
from search_spaces.space import Choices, Range, SearchSpace

SPACE = SearchSpace(
    base={"model.width": 64, "compression.target_ratio": 16.0}, span={"data.label_noise": Choices(values=(0.25, 1))}
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("16", 16),
        ("1e-3", 0.001),
        ("-2.5", -2.5),
        ("true", True),
        ("False", False),
        ("none", None),
        ("digits", "digits"),
        ("a+b", "a+b"),
        ("1000+400+397", (1000, 400, 397)),
        ("0,0.5,1", Choices(values=(0, 0.5, 1))),
        ("prune,distill", Choices(values=("prune", "distill"))),
        ("16..512", Range(low=16, high=512)),
        ("1e-3..1:log", Range(low=0.001, high=1, log=True)),
        (".1...5", Range(low=0.1, high=0.5)),
        ("-1..1", Range(low=-1, high=1)),
        ("/images/../more", "/images/../more"),
        ("../images", "../images"),
    ],
)
def test_values(text: str, value: Any) -> None:
    parsed = parse_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize("text", ["a..b", "5..1", "0..1:log", ",", "0,,1", "1,", "1..true", "16..512:lgo"])
def test_what_looks_like_a_span_but_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"range|empty value|numbers"):
        parse_value(text)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("data.inputs", "true", "true"),
        ("data.inputs", "true,gaussian", Choices(values=("true", "gaussian"))),
        ("compression.recovery", "none", "none"),
        ("compression.recovery", "none,finetune", Choices(values=("none", "finetune"))),
        ("training.augment", "none", "none"),
        ("training.augment", "flip+crop", "flip+crop"),
        ("training.schedule", "step", "step"),
        ("training.clip_norm", "none", None),
        ("compression.distill.lr", "none", None),
        ("compression.ticket", "none", None),
        ("compression.ticket", "7", "7"),
        ("data.image_folder.path", "2026", "2026"),
        ("control", "true", True),
        ("data.label_noise", "1", 1),
        ("data.label_noise", "true", True),
        ("training.step_at", "0.5", (0.5,)),
        ("training.step_at", "1e-1+.5", (0.1, 0.5)),
        ("data.split", "1000+400+397", (1000, 400, 397)),
        ("no.such.field", "none", None),
    ],
)
def test_a_text_is_read_by_the_type_of_its_field(key: str, text: str, value: Any) -> None:
    parsed = parse_value(text, key)
    assert parsed == value
    assert type(parsed) is type(value)


def test_what_others_depend_on_is_read_by_its_own_type() -> None:
    settings = [
        "compression.recovery_epochs@compression.recovery:finetune=8,16",
        "training.lr@training.augment:none=0.1,0.2",
        "training.augment=none,flip",
    ]
    assert apply_settings(SearchSpace(), settings[1:]).span["training.lr"].when == {"training.augment": ("none",)}


def test_a_value_is_listed_once() -> None:
    with pytest.raises(ValueError, match="1 is there twice"):
        parse_value("0,1,1.0", "data.label_noise")


def test_truth_is_no_number() -> None:
    for setting in ("data.label_noise=true", "data.label_noise=0,true", "replicates=true", "training.lr=false"):
        with pytest.raises(ValueError, match="must be a number"):
            apply_settings(SearchSpace(), [setting])


def test_scalars_keep_the_type_they_were_written_in() -> None:
    assert type(parse_scalar("1")) is int
    assert type(parse_scalar("1.0")) is float


def test_a_setting_replaces_base_and_span() -> None:
    assert apply_settings(SPACE, ["data.label_noise=1"]).span == {}
    widened = apply_settings(SPACE, ["model.width=16,32"])
    assert "model.width" not in widened.base
    assert widened.span["model.width"] == Choices(values=(16, 32))


@pytest.mark.parametrize("second", ["model.width=8", "model.width=16,32", "model.width@data.name:digits=8,16"])
def test_a_key_is_set_once(second: str) -> None:
    with pytest.raises(ValueError, match=r"--set model\.width is there twice"):
        apply_settings(SPACE, ["model.width=16,32", second])


def test_settings_that_depend_on_one_another_are_applied_together() -> None:
    space = apply_settings(SPACE, ["compression.recovery_epochs=8", "compression.recovery=finetune"])
    assert space.config({"data.label_noise": 1}).compression.recovery_epochs == 8


@pytest.mark.parametrize("setting", ["compression.rate=0.2", "compression.rate=0.1,0.2"])
def test_rate_takes_the_place_of_the_target_ratio(setting: str) -> None:
    space = apply_settings(SPACE, [setting])
    point = {name: spanned.corners()[0] for name, spanned in space.span.items()}
    assert space.config(point).compression.target_ratio is None


@pytest.mark.parametrize("setting", ["model.width", "=3", "model.width="])
def test_a_setting_needs_key_and_value(setting: str) -> None:
    with pytest.raises(ValueError, match="KEY=VALUE"):
        apply_settings(SPACE, [setting])


def test_an_unknown_key_is_refused_with_the_likely_one() -> None:
    with pytest.raises(ValueError, match="Did you mean 'width'"):
        apply_settings(SPACE, ["model.widht=3"])


def test_a_key_says_on_what_it_depends() -> None:
    settings = ["training.momentum@training.optimizer:sgd=0..0.9", "training.optimizer=sgd,adam,adamw"]
    space = apply_settings(SPACE, settings)
    assert space.span["training.momentum"] == Range(low=0, high=0.9, when={"training.optimizer": ("sgd",)})
    two = apply_settings(SPACE, ["training.lr@training.optimizer:adam+adamw=1e-4,1e-3", settings[1]])
    assert two.span["training.lr"].when == {"training.optimizer": ("adam", "adamw")}
    assert not set("'\"<>|&;$*?()[]{}#!~` \\") & set("".join(settings)), "nothing that a shell would look at"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("training.momentum@training.optimizer=0,1", "KEY@OTHER:VALUE"),
        ("@training.optimizer:sgd=0,1", "KEY@OTHER:VALUE"),
        ("training.momentum@training.optimizer:sgd=0.5", "only what is spanned"),
    ],
)
def test_a_key_that_depends_on_nothing_sensible(setting: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        apply_settings(SPACE, [setting])
