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


@pytest.mark.parametrize("text", ["a..b", "5..1", "0..1:log", ",", "1..true", "16..512:lgo"])
def test_what_looks_like_a_span_but_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"range|item|numbers"):
        parse_value(text)


def test_scalars_keep_the_type_they_were_written_in() -> None:
    assert type(parse_scalar("1")) is int
    assert type(parse_scalar("1.0")) is float


def test_a_setting_replaces_base_and_span() -> None:
    assert apply_settings(SPACE, ["data.label_noise=1"]).span == {}
    widened = apply_settings(SPACE, ["model.width=16,32"])
    assert "model.width" not in widened.base
    assert widened.span["model.width"] == Choices(values=(16, 32))


def test_the_last_of_two_settings_of_a_key_counts() -> None:
    space = apply_settings(SPACE, ["model.width=16,32", "model.width=8"])
    assert space.base["model.width"] == 8
    assert "model.width" not in space.span


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
